// SPDX-License-Identifier: MIT
//
// Endpoint::parse, Destination::parse: text to address, or to a name.
//
// Decisions beyond the header's table of forms:
//   - Positions in errors count bytes from 1.
//   - `unix:` may be followed by `//`, which is dropped: unix:///a and unix:/a are one path,
//     unix://@n and unix:@n one abstract name. A file called @n is written unix:./@n.
//   - Unix names may contain spaces and any UTF-8, but no control characters.
//   - A port alone (`9000`) is refused: it does not say whether everybody may connect.
//   - One address, one form: an IPv4-mapped IPv6 address becomes the IPv4 address.
//   - A link-local address must have a zone, and no other unicast address may.
//   - Numbers are decimal without leading zeros, which elsewhere mean octal.
//   - A name whose last label is a number is none: inet_aton(3) would take it for an address.

#include "os/calls.hpp"
#include "os/endpoint_text.hpp"
#include "os/ip_address.hpp"

#include <berth/destination.hpp>
#include <berth/endpoint.hpp>
#include <berth/result.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace berth {

namespace {

constexpr const char* kForms = "write tcp://HOST:PORT, unix:/PATH or unix:@NAME";
constexpr const char* kPortRule = "write a number from 0 to 65535; 0 lets the kernel choose";

bool is_v4_only(Scheme scheme) { return scheme == Scheme::tcp4 || scheme == Scheme::udp4; }
bool is_v6_only(Scheme scheme) { return scheme == Scheme::tcp6 || scheme == Scheme::udp6; }

std::string quoted(std::string_view text) { return '"' + os::printable(text) + '"'; }

std::optional<IpEndpoint> literal(std::uint8_t family, std::string_view text) {
    IpEndpoint ip{.family = family};
    const std::string terminated{text};
    const int af = family == 4 ? AF_INET : AF_INET6;
    if (::inet_pton(af, terminated.c_str(), ip.address.data()) != 1) return std::nullopt;
    return ip;
}

IpEndpoint wildcard(Scheme scheme) {
    return {.family = static_cast<std::uint8_t>(is_v4_only(scheme) ? 4 : 6)};
}

IpEndpoint loopback(Scheme scheme) {
    return is_v6_only(scheme) ? *literal(6, "::1") : *literal(4, "127.0.0.1");
}

// An IPv6 address, with or without a port, that lacks its brackets.
bool is_bare_v6(std::string_view authority) {
    const auto address = authority.substr(0, authority.find('%'));
    return literal(6, address) || literal(6, address.substr(0, address.rfind(':')));
}

bool is_link_local(const IpEndpoint& ip) {
    return ip.address[0] == 0xfe && (ip.address[1] & 0xc0U) == 0x80U;
}

// Scopes 1 and 2, interface and link: the same address means another group on each interface.
bool is_local_multicast(const IpEndpoint& ip) {
    const unsigned scope = ip.address[1] & 0x0fU;
    return ip.address[0] == 0xff && (scope == 1 || scope == 2);
}

constexpr bool is_letter(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

// Also of an underscore, which names of services have.
constexpr bool is_name_character(char character) {
    return is_letter(character) || (character >= '0' && character <= '9') || character == '-' ||
           character == '_' || character == '.';
}

// Decimal or, after 0x, hexadecimal.
bool is_number(std::string_view label) {
    if (!label.starts_with("0x") && !label.starts_with("0X")) return os::is_decimal(label);
    return label.find_first_not_of("0123456789abcdefABCDEF", 2) == std::string_view::npos;
}

// Null: none.
const char* problem_of_label(std::string_view label) {
    if (label.empty()) return "a host name with nothing between two dots";
    if (label.size() > Destination::kLabelMax) {
        return "a label of a host name with more than 63 characters";
    }
    const bool is_cut = label.front() == '-' || label.back() == '-';
    return is_cut ? "a label of a host name that begins or ends with -" : nullptr;
}

std::string_view last_label(std::string_view name) { return name.substr(name.rfind('.') + 1); }

class Parser {
public:
    enum class Names : std::uint8_t { refused, taken };

    Parser(std::string_view text, Names names) : text_(text), takes_names_(names == Names::taken) {}

    Result<Endpoint> endpoint();
    // The host, if it was a name: then the endpoint has no address.
    std::string_view name() const { return name_; }

private:
    struct Authority {
        std::string_view host;
        bool has_brackets;
        std::string_view port;
    };

    Result<Endpoint> unix_endpoint(Scheme scheme, std::string_view name) const;
    Result<Endpoint> ip_endpoint(Scheme scheme, std::string_view rest);
    Result<Authority> authority(std::string_view text) const;
    Result<Authority> bracketed(std::string_view text) const;
    Result<IpEndpoint> plain_host(Scheme scheme, std::string_view host);
    Result<IpEndpoint> host_name(std::string_view host);
    Result<void> check_labels(std::string_view name) const;
    Result<IpEndpoint> v6_host(Scheme scheme, std::string_view host) const;
    Result<IpEndpoint> with_zone(IpEndpoint ip, std::string_view zone) const;
    Result<std::uint32_t> zone_index(std::string_view zone) const;
    Result<std::uint16_t> port(std::string_view text) const;
    std::unexpected<Error> port_missing(std::string_view text) const;

    // `where` is a part of the text; its begin is the position named.
    std::unexpected<Error> wrong(std::string_view where, std::string reason,
                                 std::string remedy) const;

    std::string_view text_;
    bool takes_names_;
    std::string_view name_;
};

std::unexpected<Error> Parser::wrong(std::string_view where, std::string reason,
                                     std::string remedy) const {
    const auto position = where.data() - text_.data() + 1;
    return fail(Error{ErrorCode::invalid_address, "parse address"}
                    .at(os::printable(text_))
                    .because(std::move(reason) + " at position " + std::to_string(position))
                    .fix(std::move(remedy)));
}

Result<Endpoint> Parser::endpoint() {
    if (text_.empty()) return wrong(text_, "the address is empty", kForms);
    const auto odd = std::ranges::find_if(text_, os::is_control) - text_.begin();
    if (const auto control = text_.substr(static_cast<std::size_t>(odd), 1); !control.empty()) {
        return wrong(control, "control character " + quoted(control), "remove it");
    }

    const auto colon = text_.find(':');
    if (colon == std::string_view::npos) return ip_endpoint(Scheme::tcp, text_);
    const auto head = text_.substr(0, colon);
    const auto rest = text_.substr(colon + 1);
    const bool has_slashes = rest.starts_with("//");
    const auto authority = has_slashes ? rest.substr(2) : rest;

    const auto* known = std::ranges::find(os::kSchemeNames, head, &os::SchemeName::name);
    if (known != os::kSchemeNames.end()) {
        if (known->scheme >= Scheme::unix_stream) return unix_endpoint(known->scheme, authority);
        if (has_slashes) return ip_endpoint(known->scheme, authority);
        return wrong(rest, "no // after the scheme", "write " + std::string{head} + "://HOST:PORT");
    }
    if (!has_slashes) return ip_endpoint(Scheme::tcp, text_);
    return wrong(text_, "unknown scheme " + quoted(head),
                 "use tcp, tcp4, tcp6, udp, udp4, udp6, unix, unixgram or unixpacket");
}

Result<Endpoint> Parser::unix_endpoint(Scheme scheme, std::string_view name) const {
    if (name.empty()) return wrong(name, "no path", "write unix:/PATH or unix:@NAME");
    if (name == "@") return wrong(name, "an abstract name without a name", "write unix:@NAME");
    if (name.size() > Endpoint::kUnixNameMax) {
        return wrong(
            name.substr(Endpoint::kUnixNameMax),
            "a Unix name of " + std::to_string(name.size()) + " bytes, more than the kernel's 107,",
            "use a shorter path, or one relative to the working directory");
    }
    if (name.front() != '@' && name.back() == '/') {
        return wrong(name.substr(name.size() - 1), "the path of a directory",
                     "add the socket's file name");
    }
    return Endpoint{scheme, std::string{name}};
}

Result<Endpoint> Parser::ip_endpoint(Scheme scheme, std::string_view rest) {
    if (rest.empty()) return wrong(rest, "no host and no port", kForms);
    if (rest.front() == '/' || rest.front() == '@') {
        return wrong(rest, "a Unix name where HOST:PORT belongs",
                     "write unix:" + os::printable(rest));
    }
    const auto space = rest.find(' ');
    if (space != std::string_view::npos) return wrong(rest.substr(space), "a space", "remove it");

    const auto parts = authority(rest);
    if (!parts) return fail(parts.error());
    auto ip = parts->has_brackets ? v6_host(scheme, parts->host) : plain_host(scheme, parts->host);
    if (!ip) return fail(ip.error());
    const auto number = port(parts->port);
    if (!number) return fail(number.error());
    ip->port = *number;
    return Endpoint{scheme, *ip};
}

Result<Parser::Authority> Parser::authority(std::string_view text) const {
    if (text.front() == '[') return bracketed(text);
    if (is_bare_v6(text)) {
        return wrong(text, "an IPv6 address without brackets", "write [ADDRESS]:PORT");
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return port_missing(text);
    return Authority{
        .host = text.substr(0, colon), .has_brackets = false, .port = text.substr(colon + 1)};
}

Result<Parser::Authority> Parser::bracketed(std::string_view text) const {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return wrong(text, "[ without ]", "write [ADDRESS]:PORT");
    const auto rest = text.substr(end + 1);
    if (rest.empty() || rest.front() == '/') return port_missing(rest);
    if (rest.front() != ':') return wrong(rest, "no : after ]", "write [ADDRESS]:PORT");
    return Authority{.host = text.substr(1, end - 1), .has_brackets = true, .port = rest.substr(1)};
}

Result<IpEndpoint> Parser::plain_host(Scheme scheme, std::string_view host) {
    if (host.empty() || host == "*") return wildcard(scheme);
    if (host == "localhost" && !takes_names_) return loopback(scheme);
    if (const auto ip = literal(4, host)) {
        if (!is_v6_only(scheme)) return *ip;
        return wrong(host, "an IPv4 address after an IPv6 scheme", "use tcp4:// or tcp://");
    }
    const auto percent = host.find('%');
    if (percent != std::string_view::npos) {
        return wrong(host.substr(percent), "a zone without an IPv6 address", "remove it");
    }
    if (host.find_first_not_of("0123456789.") == std::string_view::npos) {
        return wrong(host, "not an IPv4 address: " + quoted(host),
                     "write four numbers from 0 to 255, without leading zeros");
    }
    if (takes_names_) return host_name(host);
    return wrong(host, "a host name, which is only for dialling: " + quoted(host),
                 "write its IP address, or localhost");
}

Result<IpEndpoint> Parser::host_name(std::string_view host) {
    const auto odd = std::ranges::find_if_not(host, is_name_character) - host.begin();
    if (const auto rest = host.substr(static_cast<std::size_t>(odd)); !rest.empty()) {
        return wrong(rest, "not a character of a host name in " + quoted(host),
                     "write letters, digits, - and .; names in other letters as xn--…");
    }
    const auto name = host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
    if (const auto checked = check_labels(name); !checked) return fail(checked.error());
    if (is_number(last_label(name))) {
        return wrong(host, "neither an IPv4 address nor a host name: " + quoted(host),
                     "write four numbers from 0 to 255, or a name that does not end in a number");
    }
    name_ = host;
    return IpEndpoint{};
}

Result<void> Parser::check_labels(std::string_view name) const {
    if (name.size() > Destination::kNameMax) {
        return wrong(name.substr(Destination::kNameMax), "a host name of more than 253 characters",
                     "write a shorter one");
    }
    for (std::size_t begin = 0; begin <= name.size();) {
        const auto label = name.substr(begin, name.find('.', begin) - begin);
        const char* const problem = problem_of_label(label);
        if (problem != nullptr) return wrong(name.substr(begin), problem, "correct the name");
        begin += label.size() + 1;
    }
    return {};
}

Result<IpEndpoint> Parser::v6_host(Scheme scheme, std::string_view host) const {
    const auto percent = std::min(host.find('%'), host.size());
    const auto address = host.substr(0, percent);
    const auto ip = literal(6, address);
    if (!ip) {
        return wrong(host, "not an IPv6 address: " + quoted(address),
                     "in brackets write an IPv6 address, such as [::1]; IPv4 takes none");
    }
    if (is_v4_only(scheme)) {
        return wrong(host, "an IPv6 address after an IPv4 scheme", "use tcp6:// or tcp://");
    }
    if (os::is_v4_mapped(*ip)) {
        if (!is_v6_only(scheme) && percent == host.size()) return os::unmapped(*ip);
        return wrong(host, "an IPv4-mapped address", "write it as IPv4, with tcp4:// or tcp://");
    }
    if (percent < host.size()) return with_zone(*ip, host.substr(percent + 1));
    if (!is_link_local(*ip)) return *ip;
    return wrong(host.substr(percent), "a link-local address without a zone",
                 "name the interface: [" + std::string{address} + "%eth0]");
}

Result<IpEndpoint> Parser::with_zone(IpEndpoint ip, std::string_view zone) const {
    if (!is_link_local(ip) && !is_local_multicast(ip)) {
        return wrong(zone, "a zone on an address that is not link-local",
                     "remove %" + std::string{zone});
    }
    const auto index = zone_index(zone);
    if (!index) return fail(index.error());
    ip.zone = *index;
    return ip;
}

// A number is taken as it is: it may name an interface that is gone, or not there yet.
Result<std::uint32_t> Parser::zone_index(std::string_view zone) const {
    std::uint32_t index = 0;
    if (os::is_decimal(zone)) {
        const auto read = std::from_chars(zone.data(), zone.data() + zone.size(), index);
        if (read.ec == std::errc{} && zone.front() != '0') return index;
    } else {
        const auto found = os::interface_index(std::string{zone});
        if (found) return *found;
        if (found.errno_value() != ENODEV) {
            return fail(
                Error::from_errno("find interface", found.errno_value()).at(std::string{text_}));
        }
    }
    return wrong(zone, "no interface " + quoted(zone), "write a name or number of `ip link`");
}

Result<std::uint16_t> Parser::port(std::string_view text) const {
    if (text.empty() || text.front() == '/') return port_missing(text);
    const auto odd = text.find_first_not_of("0123456789");
    if (odd != std::string_view::npos) {
        const bool is_path = text[odd] == '/';
        return wrong(text.substr(odd),
                     is_path ? "a path after the port" : "not a digit of a port: " + quoted(text),
                     is_path ? "remove " + std::string{text.substr(odd)} : kPortRule);
    }
    std::uint16_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    if (read.ec != std::errc{}) return wrong(text, "a port above 65535", kPortRule);
    if (text.size() > 1 && text.front() == '0') {
        return wrong(text, "a port with a leading zero", kPortRule);
    }
    return number;
}

std::unexpected<Error> Parser::port_missing(std::string_view text) const {
    if (os::is_decimal(text)) {
        const std::string number{text};
        return wrong(text, "a port without a host",
                     "write :" + number + " for every address, or 127.0.0.1:" + number);
    }
    return wrong(text.substr(std::min(text.find('/'), text.size())), "no port",
                 "end the address with :PORT");
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
    return Parser(text, Parser::Names::refused).endpoint();
}

Result<Destination> Destination::parse(std::string_view text) {
    Parser parser(text, Parser::Names::taken);
    auto endpoint = parser.endpoint();
    if (!endpoint) return fail(std::move(endpoint.error()));
    Destination parsed(std::move(*endpoint));
    parsed.host_ = parser.name();
    return parsed;
}

}  // namespace berth
