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
//       Accept.EndsOnceWhenDescriptorsRunOut Accept.WaitsWhileDescriptorsRunOut
//       Connect.CompletesOnceAndReceives
//       Connect.ReportsARefusalOnce Connect.ClosingAnswersItSilently
//       Receive.EndsOnceAfterTheLastByte Receive.StillSendsAfterThePeersFin
//       SendWhenReady.CompletesOnce SendWhenReady.FailsOnce Close.AnswersReceiveSilently
//       Close.AnswersSendWhenReadySilently Close.EndsTheReading Close.OfManyAnswersEachOnce
//       Close.FromEitherCompletionAnswersTheOther ResetStream.AfterItsFinIsToldOnceMore
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
//       Receive.ServesManyStreams Receive.LeavesWhatFollowsALongPieceToOthers
//    8  Receive.EndsOnceAfterTheLastByte Receive.EndsAfterMoreThanTheBudget
//       ResetStream.EndsAfterTheLastByte ResetStream.AfterItsFinIsToldOnceMore
//       ResetStream.ThatCameWithItsFinIsTold ResetStream.IsNeverTakenForAFin
//       ResetStream.IsNeverTakenForAFinAfterASend
//    9  Wake.EndsAWait Wake.BeforeThePollIsNotLost Wake.NoneIsLostAmongMany
//       Wake.FromInsideACompletion
//   10  Budget.BoundsTheBytesOfAPoll Budget.LeavesTheRestToTheNextPoll Budget.IsPerStream
//       Budget.NeedNotBeAMultipleOfTheBuffer
//   11  Pause.HoldsBytesBack Pause.TakesEffectInsideOnReceived Pause.LosesNothing
//       Pause.HoldsBackTheFin Pause.MayEndInsideACompletion
//   12  Close.GivesThePeerItsFin CloseWithReset.GivesThePeerItsReset
//       CloseWithReset.SendsNothingMore
//       Close.ClosesTheDescriptor Close.LetsTheStreamBeUsedAgain
//       Close.StaleEventsReachNobody
//   13  Accept.FreesThePortAfterItsEnd Accept.LosesNoPeerWhenStopped
//       Accept.LeavesNobodyUnservedBesideOneThatIsStopped
//   14  Bounds.RefusesNothing Bounds.ReceivesNoMoreThanTheBuffer Bounds.AcceptsNoMoreThanItsBudget
//       Bounds.TakesNoMoreEventsThanItsMaximum
//   15  SendSoon.DeliversEveryByteInOrder SendSoon.FreesItsMemoryAtOnce SendSoon.ServesManyStreams
//       SendSoon.IsNotOvertaken SendSoon.LosesNothingTowardsASlowPeer SendSoon.TellsOfAReset
//       SendSoon.TellsOfEachRefusalInItsPoll Settle.HandsOverAtOnce Settle.GivesBackWhatIsRefused
//       SendSoon.TellsOfARefusalThatIsFollowedByOtherHandOvers
//       SendSoon.LosesNothingTowardsManySlowPeers
//       Settle.LetsTheEndComeAfterTheLastByte
//       SendSoon.IsDroppedByAReset SendSoon.SendsBackWhatItHasReceivedFromWhereThatLies
//       SendSoon.SendsBackLongPiecesInOrder
//   16  Datagrams.ComeWholeAndInOrder Datagrams.ComeThatWereThereBefore Datagrams.ComeInBatches
//       Datagrams.AreCutAtTheBoundAndSaySo Datagrams.ThatFitExactlyAreNotCut
//       Datagrams.TakeNoMemoryForAFurtherSocket Datagrams.TellWhomTheyWereSentTo
//       Datagrams.CountWhatTheKernelDropped Datagrams.ThatCameAsOneAreTakenApart
//   17  Datagrams.AreStillReceivedAfterAnError
//   18  Datagrams.EndOnceWhenStopped Datagrams.StartAgainAfterTheEnd
//       Datagrams.AreDeliveredBeforeAFinishEnds Datagrams.StopFromInsideABatch
//       Datagrams.AStopOvertakesAFinish
//   19  Datagrams.LeaveWholeAndTogether Datagrams.LeaveFromTheAddressGiven
//       Datagrams.AreRefusedWithTheErrorOfTheFirst Datagrams.EqualOnesLeaveWholeAndInOrder
//   20  Watch.TellsOfInput Watch.TellsOfWhatWasThereBefore Watch.TellsOfRoom Watch.TellsOfTheEnd
//       Watch.TellsAgainOfMore
//   21  Watch.EndsOnceWhenStopped Watch.StopsFromInsideItsCompletion Watch.StartsAgainAfterTheEnd
//       Watch.StopsFromInsideAnothersCompletion

#pragma once

#include "conformance/world.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>

namespace berth::conformance {

inline std::ostream& operator<<(std::ostream& out, const WorldKind& kind) {
    return out << kind.name;
}

inline std::string name_of_world(const ::testing::TestParamInfo<WorldKind>& info) {
    return info.param.name;
}

class Conformance : public ::testing::TestWithParam<WorldKind> {
protected:
    static constexpr std::size_t kBlockBytes = 64U << 10U;

    void SetUp() override { world_->open({}); }
    void TearDown() override;

    // Starts over with other bounds; first of all in a test.
    void open_with(const driver::Bounds& bounds);

    World& world() { return *world_; }
    // May the test count on what can complete coming in the next poll, all of it?
    static bool is_prompt() { return GetParam().is_prompt; }
    driver::Driver& driver() { return world_->driver(); }
    RecordingSink& sink() { return world_->sink(); }

    // The usual wait: until the sink has one completion of this kind.
    ::testing::AssertionResult comes(Kind kind, const driver::Source& source);
    // It is there; in a world that is not prompt, it still comes.
    ::testing::AssertionResult has_come(Kind kind, const driver::Source& source);
    // From the first completion to the last; a world that is not prompt may need several.
    ::testing::AssertionResult came_in_one_poll();
    ::testing::AssertionResult receives(const driver::Stream& stream, std::size_t count);

    // A few bytes, for which there is room: a prompt world takes them at once.
    void send_small(driver::Stream& stream, std::string_view bytes);
    // Sends pattern(kBlockBytes) until the socket takes no more; how much it took.
    std::size_t fill(driver::Stream& stream);

private:
    std::unique_ptr<World> world_ = GetParam().make();
};

// Text in which a lost, doubled or misplaced byte shows.
std::string pattern(std::size_t count);

}  // namespace berth::conformance
