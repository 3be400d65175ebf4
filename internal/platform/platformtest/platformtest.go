// Package platformtest is the conformance suite that every adapter passes.
//
// An adapter's whole conformance test is a call of [Run], and its fuzz target one of [Fuzz], with a
// [Suite] that says how to make an account and the platform's fake server. The cases are flat and
// named; one that needs a capability that the platform does not have is left out.
package platformtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/post"
	"github.com/postrider/postrider/internal/secret"
)

// Suite says what the cases need to know of an adapter.
type Suite struct {
	Adapter platform.Adapter
	// Account returns an account of the platform whose server is at base, a URL without final slash.
	// It is also called with [GoldenBase], for everything that sends nothing.
	Account func(base string) *platform.Account
	Secrets map[string]secret.String
	// Fake returns a fresh fake that accepts Secrets, runs by [Clock] and will be served at base.
	Fake func(base string) fakenet.Fake
	// OneRequest tells that a thread goes out in a single request, as a whole or not at all.
	OneRequest bool
	// Sessions tells that the network's tokens die after a while, and that publishers get new ones by themselves.
	Sessions bool
	// SilentQuota tells that the network does not say how much is left before it refuses.
	SilentQuota bool
	// RefusesRepeats tells that the network does not take the same words of one account twice.
	RefusesRepeats bool
	// Dress changes every sample before it is rendered, for networks that take no text alone; nil: as they are.
	Dress func(*post.Post)
	// Check says what is wrong with a request by the network's own description of its API; nil where there is none that a program can read.
	// It sees every request of the cases, and may read its body.
	Check func(*http.Request) error
	// More are renderings of kinds that the corpus does not lead to: a video, a poll, a first comment. Their requests are goldens as well.
	More []Extra
	// Refusal is a part of what the fake says to fakenet.Refuse: people must get to read it.
	Refusal string
}

// Extra is a rendering with the files that its parts name.
type Extra struct {
	Name      string // of its golden
	Rendering platform.Rendering
	Files     map[string]string // what is in them, by Media.Path; the rendering is told of their size and digest
}

// GoldenBase is the server of accounts that send nothing.
const GoldenBase = "https://golden.example"

// Clock is the time at which all cases run.
func Clock() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

// A testCase is left out unless the platform has all of needs.
type testCase struct {
	name  string
	needs platform.Caps
	run   func(*testing.T, *Suite)
}

func cases() []testCase {
	const thread = platform.CanPublish | platform.CanThread
	return []testCase{
		{"info is well-formed and its limits are dated", 0, infoIsWellFormed},
		{"options describe themselves", 0, optionsDescribeThemselves},
		{"renderings match their goldens", 0, renderingsMatchGoldens},
		{"requests and answers match their goldens", 0, requestsMatchGoldens},
		{"render is deterministic and leaves its input alone", 0, renderIsPure},
		{"parts are within the limits or a finding says so", 0, partsAreWithinLimits},
		{"facets and spans lie on rune boundaries", 0, facetsLieOnRunes},
		{"every rendering has a part and names its platform", 0, renderingsHaveParts},

		{"capabilities are interfaces", platform.CanPublish, capabilitiesAreInterfaces},
		{"open makes no request", platform.CanPublish, openMakesNoRequest},
		{"open without secrets is an error", platform.CanPublish, openNeedsSecrets},
		{"verify tells who it is and creates nothing", platform.CanPublish, verifyCreatesNothing},
		{"what is sent is what was rendered", platform.CanPublish, sentIsRendered},
		{"another key is another post", platform.CanPublish, anotherKeyIsAnotherPost},
		{"failures have the right outcome and one request", platform.CanPublish, failuresHaveOutcomes},
		{"after every failure, everything ends up once", platform.CanPublish, everythingEndsOnce},
		{"what is left reaches the budget", platform.CanPublish, quotaReachesTheBudget},
		{"uploads have their own budget", platform.CanPublish, uploadsHaveTheirOwnBudget},
		{"a request takes no longer than it may", platform.CanPublish, timeoutBounds},
		{"unreachable is unsent", platform.CanPublish, unreachableIsUnsent},
		{"cancelled before is unsent", platform.CanPublish, cancelledIsUnsent},
		{"changed media is unsent", platform.CanPublish, changedMediaIsUnsent},
		{"credentials stay on their host", platform.CanPublish, credentialsStay},
		{"secrets stay out of errors and logs", platform.CanPublish, secretsStay},
		{"nothing is left behind", platform.CanPublish, nothingIsLeft},
		{"the same key is sent again", platform.CanPublish, sameKeyAgain},
		{"the same key creates nothing new", platform.CanPublish | platform.CanIdempotent, sameKeyCreatesNothing},
		{"a retry does not undo an edit", platform.CanPublish | platform.CanIdempotent | platform.CanEdit, retryKeepsEdit},
		{"a broken thread is resumed", thread, brokenThreadIsResumed},
		{"a thread of unknown end is found and resumed", thread | platform.CanFind, unknownThreadIsResumed},
		{"find sees what was accepted without an answer", platform.CanPublish | platform.CanFind, findSeesAccepted},
		{"find proves absence", platform.CanPublish | platform.CanFind, findProvesAbsence},
		{"find does not adopt what others own", platform.CanPublish | platform.CanFind, findAdoptsNothingOwned},
		{"find without an answer proves nothing", platform.CanPublish | platform.CanFind, findUnreachable},
		{"edit changes the text in place", platform.CanPublish | platform.CanEdit, editInPlace},
		{"edit of another number of parts is refused", thread | platform.CanEdit, editNeedsSameParts},
		{"delete takes down and may be repeated", platform.CanPublish | platform.CanDelete, deleteTwice},
	}
}

// Run runs all cases for one adapter. Goldens of renderings are in the adapter's testdata/golden, those of requests and answers in
// testdata/wire; `go test -update` rewrites them.
func Run(t *testing.T, s Suite) { run(t, &s, 0) }

// RunPublisher runs the cases about publishers only: for a second kind of account, whose renderings have no goldens of
// their own.
func RunPublisher(t *testing.T, s Suite) { run(t, &s, platform.CanPublish) }

// run runs the cases that need something of about.
func run(t *testing.T, s *Suite, about platform.Caps) {
	caps := s.caps()
	for _, c := range cases() {
		if caps.Has(c.needs) && c.needs.Has(about) {
			t.Run(c.name, func(t *testing.T) { c.run(t, s) })
		}
	}
}
