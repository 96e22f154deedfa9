// SPDX-License-Identifier: MIT
//
// run(): one engine on this thread, until a signal or a stop.

#include <berth/engine.hpp>
#include <berth/logger.hpp>

#include <array>
#include <string>
#include <vector>

namespace berth {

RunResult run(EventHandler& handler, std::span<const std::string> addresses, Options options) {
    Engine engine(handler, options);
    RunResult result(engine.run(addresses));
    Logger& logger = options.logger != nullptr ? *options.logger : default_logger();
    if (!result.started()) logger.log(LogLevel::error, result.error().to_string());
    return result;
}

RunResult run(EventHandler& handler, std::string_view address, Options options) {
    const std::array one{std::string(address)};
    return run(handler, std::span<const std::string>(one), options);
}

RunResult run(EventHandler& handler, std::initializer_list<std::string> addresses,
              Options options) {
    const std::vector<std::string> list(addresses);
    return run(handler, std::span<const std::string>(list), options);
}

}  // namespace berth
