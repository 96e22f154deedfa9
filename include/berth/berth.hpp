// SPDX-License-Identifier: MIT
//
// Everything of berth in one include.

#pragma once

// IWYU pragma: begin_exports
#include <berth/admin.hpp>
#include <berth/connection.hpp>
#include <berth/context.hpp>
#include <berth/datagram.hpp>
#include <berth/destination.hpp>
#include <berth/dial.hpp>
#include <berth/engine.hpp>
#include <berth/event_loop.hpp>
#include <berth/file_descriptor.hpp>
#include <berth/handler.hpp>
#include <berth/logger.hpp>
#include <berth/options.hpp>
#include <berth/port.hpp>
#include <berth/report.hpp>
#include <berth/resolver.hpp>
#include <berth/run.hpp>
#include <berth/session.hpp>
#include <berth/version.hpp>
#include <berth/work_pool.hpp>
// IWYU pragma: end_exports
