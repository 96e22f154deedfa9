// SPDX-License-Identifier: MIT
//
// Command line: flags reach the settings; what is wrong or missing is refused with status 2.

#include "command_line.hpp"

#include "exit_status.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace berth::app;
using namespace std::chrono_literals;

using Words = std::vector<const char*>;

Command parse(Words words) {
    words.insert(words.begin(), "berth");
    return parse_command_line(static_cast<int>(words.size()), words.data());
}

int status_of(const Words& words) {
    const Command command = parse(words);
    const auto* nothing = std::get_if<NothingToDo>(&command);
    return nothing != nullptr ? nothing->exit_status : -1;
}

// The explanation of a refused command line.
std::string refusal(const Words& words) {
    testing::internal::CaptureStderr();
    const int status = status_of(words);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_EQ(status, kWrongUsage) << text;
    return text;
}

TEST(CommandLine, ServesEchoOnTheDefaultAddress) {
    const auto settings = std::get<ServeSettings>(parse({"serve", "echo"}));
    EXPECT_EQ(settings.service, Service::echo);
    EXPECT_TRUE(settings.addresses.empty()) << "then it is kDefaultAddress, or what is inherited";
    EXPECT_EQ(settings.options.drain, 30s);
    EXPECT_TRUE(settings.report.empty());
    EXPECT_FALSE(settings.ready_fd);
}

TEST(CommandLine, ListensInTheOrderGiven) {
    const auto settings = std::get<ServeSettings>(
        parse({"serve", "--listen", "tcp://:0", "--listen", "unix:@b", "discard"}));
    EXPECT_EQ(settings.service, Service::discard);
    EXPECT_EQ(settings.addresses, (std::vector<std::string>{"tcp://:0", "unix:@b"}));
}

TEST(CommandLine, SetsEveryOption) {
    const auto options =
        std::get<ServeSettings>(parse({"serve",        "echo",  "--loops",           "3",
                                       "--driver",     "epoll", "--balance",         "round-robin",
                                       "--backlog",    "7",     "--max-connections", "99",
                                       "--no-delay",   "false", "--idle-timeout",    "5s",
                                       "--linger",     "20ms",  "--output-high",     "3K",
                                       "--output-low", "2K",    "--output-max",      "4K",
                                       "--input-max",  "5K",    "--read-budget",     "6K",
                                       "--drain",      "8s",    "--busy-poll",       "50us"}))
            .options;
    EXPECT_EQ(options.busy_poll, 50us);
    EXPECT_EQ(options.loops, 3u);
    EXPECT_EQ(options.driver, berth::DriverKind::epoll);
    EXPECT_EQ(options.balance, berth::Balance::round_robin);
    EXPECT_EQ(options.backlog, 7);
    EXPECT_EQ(options.connections_max, 99u);
    EXPECT_FALSE(options.no_delay);
    EXPECT_EQ(options.idle_timeout, 5s);
    EXPECT_EQ(options.linger, 20ms);
    EXPECT_EQ(options.output_high, 3072u);
    EXPECT_EQ(options.output_low, 2048u);
    EXPECT_EQ(options.output_max, 4096u);
    EXPECT_EQ(options.input_max, 5120u);
    EXPECT_EQ(options.read_budget, 6144u);
    EXPECT_EQ(options.drain, 8s);
}

TEST(CommandLine, SetsEveryLimit) {
    const auto options =
        std::get<ServeSettings>(
            parse({"serve", "echo", "--listener-connections-max", "11", "--address-connections-max",
                   "12", "--accept-rate-max", "13", "--accept-burst-max", "14", "--share-port",
                   "true", "--unix-mode", "0640", "--balance", "least-connections"}))
            .options;
    EXPECT_EQ(options.listener_connections_max, 11u);
    EXPECT_EQ(options.address_connections_max, 12u);
    EXPECT_EQ(options.accept_rate_max, 13u);
    EXPECT_EQ(options.accept_burst_max, 14u);
    EXPECT_TRUE(options.share_port);
    EXPECT_EQ(options.unix_mode, 0640u);
    EXPECT_EQ(options.balance, berth::Balance::least_connections);
}

TEST(CommandLine, SetsEveryOptionOfAStop) {
    const auto options = std::get<ServeSettings>(parse({"serve",
                                                        "echo",
                                                        "--lame-duck",
                                                        "4s",
                                                        "--quiesce-max",
                                                        "1ms",
                                                        "--spread",
                                                        "2s",
                                                        "--late-accept",
                                                        "refuse",
                                                        "--first-request-grace",
                                                        "3ms",
                                                        "--send-rate-min",
                                                        "7K",
                                                        "--linger-bytes-max",
                                                        "8K",
                                                        "--verify",
                                                        "false",
                                                        "--not-sent-max",
                                                        "9K",
                                                        "--handover",
                                                        "/x",
                                                        "--probation",
                                                        "5s",
                                                        "--handover-timeout",
                                                        "6s"}))
                             .options;
    EXPECT_EQ(options.lame_duck, 4s);
    EXPECT_EQ(options.quiesce_max, 1ms);
    EXPECT_EQ(options.spread, 2s);
    EXPECT_EQ(options.late_accept, berth::LateAccept::refuse);
    EXPECT_EQ(options.first_request_grace, 3ms);
    EXPECT_EQ(options.send_rate_min, 7168u);
    EXPECT_EQ(options.linger_bytes_max, 8192u);
    EXPECT_FALSE(options.verify);
    EXPECT_EQ(options.not_sent_max, 9216u);
    EXPECT_EQ(options.handover, "/x");
    EXPECT_EQ(options.probation, 5s);
    EXPECT_EQ(options.handover_timeout, 6s);
}

TEST(CommandLine, LeavesTheLameDuckToTheEnvironment) {
    EXPECT_FALSE(std::get<ServeSettings>(parse({"serve", "echo"})).options.lame_duck);
}

TEST(CommandLine, SetsWhatStandsAroundAServer) {
    const auto settings = std::get<ServeSettings>(
        parse({"serve", "echo", "--admin", "tcp://127.0.0.1:0", "--keep-listeners"}));
    EXPECT_EQ(settings.admin, "tcp://127.0.0.1:0");
    EXPECT_TRUE(settings.keep_listeners);
}

TEST(CommandLine, AsksForAPort) {
    const auto settings = std::get<PortSettings>(parse({"port", "9000", "--json", "--wait", "2s"}));
    EXPECT_EQ(settings.endpoint.port(), 9000);
    EXPECT_TRUE(settings.json);
    EXPECT_EQ(settings.wait, 2s);
}

TEST(CommandLine, DrawsATimeline) {
    const auto settings =
        std::get<TimelineSettings>(parse({"timeline", "stop.json", "-o", "stop.svg"}));
    EXPECT_EQ(settings.report, "stop.json");
    EXPECT_EQ(settings.output, "stop.svg");
}

TEST(CommandLine, LoadsWithEveryFlag) {
    const auto settings = std::get<LoadSettings>(parse({"load",          "tcp://127.0.0.1:7",
                                                        "--connections", "5000",
                                                        "--size",        "1K",
                                                        "--depth",       "16",
                                                        "--duration",    "2s",
                                                        "--rate",        "100",
                                                        "--reconnect",   "--allow-close",
                                                        "--loops",       "2",
                                                        "--seed",        "42",
                                                        "--busy-poll",   "1ms",
                                                        "--json"}));
    EXPECT_EQ(settings.busy_poll, 1ms);
    EXPECT_EQ(settings.to.port(), 7);
    EXPECT_EQ(settings.connections, 5000u);
    EXPECT_EQ(settings.shape.size, 1024u);
    EXPECT_EQ(settings.shape.depth, 16u);
    EXPECT_EQ(settings.duration, 2s);
    EXPECT_EQ(settings.rate, 100u);
    EXPECT_TRUE(settings.reconnect && settings.allow_close && settings.json);
    EXPECT_EQ(settings.loops, 2u);
    EXPECT_EQ(settings.seed, 42u);
}

struct Refusal {
    Words words;
    const char* said;  // a part of the explanation
};

TEST(CommandLine, ServesAProxyToTheGivenServer) {
    const auto settings = std::get<ServeSettings>(
        parse({"serve", "proxy", "--to", "tcp://127.0.0.1:9", "--dial-timeout", "2s"}));
    EXPECT_EQ(settings.service, Service::proxy);
    ASSERT_TRUE(settings.proxy.to);
    EXPECT_EQ(settings.proxy.to->to_string(), "tcp://127.0.0.1:9");
    EXPECT_EQ(settings.proxy.dial_timeout, std::chrono::seconds{2});
}

TEST(CommandLine, TakesNamesOfServersThatAreDialled) {
    const auto proxy =
        std::get<ServeSettings>(parse({"serve", "proxy", "--to", "tcp://server.example:9"}));
    EXPECT_EQ(proxy.proxy.to->host(), "server.example");
    const auto load = std::get<LoadSettings>(parse({"load", "server.example:9"}));
    EXPECT_EQ(load.to.to_string(), "tcp://server.example:9");
    const auto datagrams = std::get<LoadSettings>(parse({"load", "udp://localhost:9"}));
    EXPECT_FALSE(datagrams.to.is_name());
}

TEST(CommandLine, RefusesWrongUsageAndSaysWhatIsWrong) {
    const std::vector<Refusal> refusals{
        {{}, "A command, serve, load, port or timeline, is required"},
        {{"sreve"}, "sreve"},
        {{"serve"}, "WHAT"},
        {{"serve", "ecco"}, "'ecco' is not known; choose one of: echo, discard, http"},
        {{"serve", "proxy"}, "--to ADDRESS"},
        {{"serve", "proxy", "--to", "tcp://127.0.0.1:0"}, "nobody listens on port 0"},
        {{"serve", "echo", "--to", "tcp://127.0.0.1:1"}, "is for `berth serve proxy`"},
        {{"serve", "echo", "--lisen", "tcp://:0"}, "--lisen"},
        {{"serve", "echo", "--listen"}, "--listen"},
        {{"serve", "echo", "--listen", "howdy"}, "howdy"},
        {{"serve", "echo", "--loops", "many"}, "--loops: 'many' is not a whole number from 0"},
        {{"serve", "echo", "--loops", "256"}, "--loops: '256'"},
        {{"serve", "echo", "--drain", "30"}, "--drain: '30' is not a duration"},
        {{"serve", "echo", "--output-max", "big"}, "--output-max: 'big' is not a size"},
        {{"serve", "echo", "--driver", "kqueue"}, "'kqueue' is not known"},
        {{"serve", "echo", "--ready-fd", "999999"}, "--ready-fd: descriptor 999999 is not open"},
        {{"serve", "echo", "--report", "/nowhere/at/all"}, "no folder '/nowhere/at'"},
        {{"serve", "echo", "--report", "/dev/null"}, "not a regular file"},
        {{"serve", "echo", "--admin", "nowhere"}, "nowhere"},
        {{"serve", "echo", "--unix-mode", "rw"}, "--unix-mode: 'rw' is not a mode"},
        {{"serve", "echo", "--unix-mode", "1777"}, "--unix-mode: '1777' is not a mode"},
        {{"serve", "echo", "--late-accept", "later"}, "choose one of: serve, refuse"},
        {{"port"}, "ADDRESS"},
        {{"port", "70000"}, "70000"},
        {{"timeline"}, "REPORT"},
        {{"load"}, "ADDRESS"},
        {{"load", "tcp://127.0.0.1:0"}, "nobody listens on port 0"},
        {{"load", ":1", "--size", "0"}, "--size"},
        {{"load", ":1", "--rate", "0"}, "--rate: '0'"},
        {{"load", "udp://:1", "--size", "7"}, "8 to 65507 bytes"},
        {{"load", "udp://:1", "--rate", "9"}, "do not exist for udp"},
        {{"load", "unixpacket:@x", "--size", "17M"}, "of 16MiB at most"},
        {{"load", "unixgram:@x"}, "use unixpacket:"},
        {{"serve", "proxy", "--to", "unixpacket:@x"}, "streams only"},
        {{"serve", "echo", "--admin", "udp://:1"}, "streams only"},
        {{"load", ":1", "--connections", "5000", "--size", "1M", "--depth", "16"}, "in flight"},
    };
    for (const auto& [words, said] : refusals) {
        const std::string text = refusal(words);
        EXPECT_NE(text.find(said), std::string::npos) << text;
        EXPECT_NE(text.find("--help'"), std::string::npos) << text;
    }
}

TEST(CommandLine, RefusesWhatDoesNotExistYet) {
    const std::vector<Words> missing{
        {"load", "unixgram:@x"},
        {"doctor"},
    };
    for (const Words& words : missing) {
        const std::string text = refusal(words);
        EXPECT_NE(text.find("not exist yet"), std::string::npos) << text;
    }
}

TEST(CommandLine, AnswersHelpAndVersionOnStdout) {
    const std::vector<Words> questions{
        {"--help"},         {"--version"},      {"serve", "--help"},   {"serve", "echo", "--help"},
        {"load", "--help"}, {"port", "--help"}, {"timeline", "--help"}};
    for (const Words& words : questions) {
        testing::internal::CaptureStdout();
        EXPECT_EQ(status_of(words), kSucceeded);
        EXPECT_NE(testing::internal::GetCapturedStdout(), "");
    }
}

}  // namespace
