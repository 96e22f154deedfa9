// SPDX-License-Identifier: MIT
//
// Conformance: the suite of the driver contract (src/driver/driver.hpp), once per world.
//
// Which tests stand for which sentence. mutations/run.py reads this table: it fails when a test
// is missing here or does not exist, and when a planted defect of a sentence passes its tests.
// Beside its own tests, 1, 2, 3 and 11 are checked in every test by the driver and sink that it
// uses, and so is 12 by the search for leaked descriptors.
//
//    1  Bounds.StartingNeverAllocates Bounds.ManyOperationsAtOnceNeverAllocate
//    2  Accept.EndsOnceWhenStopped Accept.StartsAgainAfterItsEnd
//       Accept.EndsOnceWhenDescriptorsRunOut Connect.CompletesOnceAndReceives
//       Connect.ReportsARefusalOnce Connect.ClosingAnswersItSilently
//       Receive.EndsOnceAfterTheLastByte Receive.StillSendsAfterThePeersFin
//       SendWhenReady.CompletesOnce SendWhenReady.FailsOnce Close.AnswersReceiveSilently
//       Close.AnswersSendWhenReadySilently Close.EndsTheReading Close.OfManyAnswersEachOnce
//       Bounds.AFailedStartHasNoCompletion
//    3  Accept.StopsFromInsideItsCompletion Close.FromItsOwnCompletion Connect.CompletesInPollOnly
//    4  SendWhenReady.ReadsItsSlicesWhileInFlight Close.TouchesTheStreamNoMore
//    5  Send.DeliversEveryByteInOrder Send.SaysWhatTheSocketTook Send.FreesItsMemoryAtOnce
//       Send.FailsAfterAReset Send.NeverWaits SendSlices.DeliversThemInOrder
//       SendSlices.SaysWhatTheSocketTook SendWhenReady.WaitsForRoom
//       SendWhenReady.TakesWhatFits SendWhenReady.DoesNotWaitWhenThereIsRoom
//       EndSending.ComesAfterTheLastByte
//    6  Poll.ReturnsAtOnceWhenItsDeadlineHasPassed Poll.WaitsNoLongerThanItsDeadline
//       Poll.WaitsWhenNothingIsReady Poll.WaitsBesideAnEndedStream Poll.WaitsBesideAPausedStream
//       Poll.DoesNotWaitForAClose Poll.DoesNotWaitForAStop Poll.DeliversWhatItsSinkStarted
//       Close.OfAnotherFromOnClosed Budget.SaysWhichStreamItPutOff
//    7  Accept.DeliversManyPeersForOneStart Accept.DeliversPeersThatCameBefore
//       Accept.TellsThePeersAddress Receive.DeliversManyTimesForOneStart
//       Receive.DeliversWhatCameBefore Receive.LendsBytesUntilTheSinkReturns
//       Receive.ServesManyStreams
//    8  Receive.EndsOnceAfterTheLastByte Receive.EndsAfterMoreThanTheBudget
//       ResetStream.EndsAfterTheLastByte ResetStream.IsNeverTakenForAFin
//       ResetStream.IsNeverTakenForAFinAfterASend
//    9  Wake.EndsAWait Wake.BeforeThePollIsNotLost Wake.NoneIsLostAmongMany
//       Wake.FromInsideACompletion
//   10  Budget.BoundsTheBytesOfAPoll Budget.LeavesTheRestToTheNextPoll Budget.IsPerStream
//       Budget.NeedNotBeAMultipleOfTheBuffer
//   11  Pause.HoldsBytesBack Pause.TakesEffectInsideOnReceived Pause.LosesNothing
//       Pause.HoldsBackTheFin Pause.MayEndInsideACompletion
//   12  Close.GivesThePeerItsFin CloseWithReset.GivesThePeerItsReset
//       Close.ClosesTheDescriptor Close.LetsTheStreamBeUsedAgain
//       Close.StaleEventsReachNobody
//   13  Accept.FreesThePortAfterItsEnd Accept.LosesNoPeerWhenStopped
//   14  Bounds.RefusesNothing Bounds.ReceivesNoMoreThanTheBuffer Bounds.AcceptsNoMoreThanItsBudget
//       Bounds.TakesNoMoreEventsThanItsMaximum

#pragma once

#include "conformance/world.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <ostream>
#include <string>

namespace berth::conformance {

inline std::ostream& operator<<(std::ostream& out, const WorldKind& kind) {
    return out << kind.name;
}

inline std::string name_of_world(const ::testing::TestParamInfo<WorldKind>& info) {
    return info.param.name;
}

class Conformance : public ::testing::TestWithParam<WorldKind> {
protected:
    void SetUp() override { world_->open({}); }
    void TearDown() override { world_->close(); }

    // Starts over with other bounds; first of all in a test.
    void open_with(const driver::Bounds& bounds) {
        world_->close();
        world_ = GetParam().make();
        world_->open(bounds);
    }

    World& world() { return *world_; }
    driver::Driver& driver() { return world_->driver(); }
    RecordingSink& sink() { return world_->sink(); }

    // The usual wait: until the sink has one completion of this kind.
    ::testing::AssertionResult comes(Kind kind, const driver::Source& source) {
        return world_->until([&] { return sink().has(source, kind); });
    }
    ::testing::AssertionResult receives(const driver::Stream& stream, std::size_t count) {
        return world_->until([&] { return sink().bytes_of(stream).size() >= count; });
    }

private:
    std::unique_ptr<World> world_ = GetParam().make();
};

// Text in which a lost, doubled or misplaced byte shows.
inline std::string pattern(std::size_t count) {
    std::string text(count, '\0');
    for (std::size_t at = 0; at < count; ++at) {
        text[at] = static_cast<char>('!' + (at + at / 89) % 90);
    }
    return text;
}

}  // namespace berth::conformance
