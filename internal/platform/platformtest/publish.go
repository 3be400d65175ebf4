package platformtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

func capabilitiesAreInterfaces(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	p := e.open(t)
	_, find := p.(platform.Finder)
	_, edit := p.(platform.Editor)
	_, del := p.(platform.Deleter)
	caps := s.caps()
	for _, c := range []struct {
		cap  platform.Caps
		have bool
	}{{platform.CanFind, find}, {platform.CanEdit, edit}, {platform.CanDelete, del}} {
		if caps.Has(c.cap) != c.have {
			t.Errorf("%v: declared %v, implemented %v", c.cap.Names(), caps.Has(c.cap), c.have)
		}
	}
}

func openMakesNoRequest(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	var requests atomic.Int32
	e.http.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
		requests.Add(1)
		return nil, errors.New("no network while opening")
	})
	e.open(t)
	if n := requests.Load(); n != 0 {
		t.Errorf("Open made %d requests", n)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func openNeedsSecrets(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	for _, spec := range s.Adapter.Info().Secrets {
		if spec.Optional {
			continue
		}
		d := e.deps()
		d.Secrets = map[string]secret.String{}
		for name, value := range s.Secrets {
			if name != spec.Name {
				d.Secrets[name] = value
			}
		}
		p, err := s.Adapter.Open(e.account, d)
		if err == nil {
			t.Errorf("Open without %s gives a %T", spec.Name, p)
			continue
		}
		if o := platform.OutcomeOf(err); o != platform.Denied && o != platform.Unsent {
			t.Errorf("Open without %s: %v (%v), want denied or unsent", spec.Name, err, o)
		}
	}
}

func verifyCreatesNothing(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	id, err := e.open(t).Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if id.ID == "" && id.Handle == "" {
		t.Errorf("nobody: %+v", id)
	}
	if e.creations(t, 0); len(e.fake.Calls()) != 0 {
		t.Errorf("Verify made the creating requests %v", e.fake.Calls())
	}
}

func sentIsRendered(t *testing.T, s *Suite) {
	sent := 0
	for i, sample := range Corpus() {
		e := newEnv(t, s)
		r, findings := s.Adapter.Render(s.variant(sample, e.account), e.account)
		if findings.HasErrors() {
			continue
		}
		sent++
		t.Logf("publishing %s", sample.Name)
		before := r.Fingerprint()
		receipt := e.published(t, &r, attempt(i))
		e.shows(t, receipt, &r)
		e.creations(t, len(r.Parts))
		if n := len(e.fake.Calls()); n != s.requests(len(r.Parts)) {
			t.Errorf("%s: %d parts went out with %d creating requests", sample.Name, len(r.Parts), n)
		}
		if r.Fingerprint() != before {
			t.Errorf("Publish changed the rendering of %s", sample.Name)
		}
	}
	if sent == 0 {
		t.Error("the platform takes no sample at all")
	}
}

func anotherKeyIsAnotherPost(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.one(t)
	a := e.published(t, r, attempt(1))
	if s.RefusesRepeats {
		_, err := e.open(t).Publish(t.Context(), r, attempt(2))
		outcome(t, err, platform.Rejected)
		e.creations(t, 1)
		r = changed(r)
	}
	b := e.published(t, r, attempt(2))
	if a.Parts[0].ID == b.Parts[0].ID {
		t.Errorf("two deliveries are one post, %q", a.Parts[0].ID)
	}
	e.creations(t, 2)
}

// failuresHaveOutcomes is the heart of the suite: whatever happens to a creating request, to one of a thread's too,
// there is no second one, and the outcome says no more than can be known.
func failuresHaveOutcomes(t *testing.T, s *Suite) {
	want := map[fakenet.Fault]platform.Outcome{
		fakenet.TimeoutAfterAccept:     platform.Unknown,
		fakenet.SlowAnswer:             platform.Unknown,
		fakenet.LateAccept:             platform.Unknown,
		fakenet.ResetBefore:            platform.Unknown,
		fakenet.HalfRequest:            platform.Unknown,
		fakenet.ResetAfterAccept:       platform.Unknown,
		fakenet.HalfResponse:           platform.Unknown,
		fakenet.Garbage:                platform.Unknown,
		fakenet.ServerError:            platform.Unknown,
		fakenet.ServerErrorAfterAccept: platform.Unknown,
		fakenet.Refuse:                 platform.Rejected,
		fakenet.RateLimit:              platform.Limited,
		fakenet.ExpiredSession:         platform.Denied,
		fakenet.ExpiredToken:           platform.Denied,
		fakenet.Forbidden:              platform.Denied,
		fakenet.Redirect:               platform.Denied,
		fakenet.UploadLost:             platform.Unsent,
		fakenet.UploadLimit:            platform.Limited,
	}
	s.everywhere(t, func(t *testing.T, fault fakenet.FaultDoc, e *env, r *platform.Rendering, skip int) {
		receipt, struck, err := e.under(t, fakenet.Plan{Fault: fault.Fault, Skip: skip, Count: -1}, r, attempt(1))
		if !struck && fault.Uploads {
			if err != nil {
				t.Fatal(err) // nothing was uploaded
			}
			return
		}
		if !struck && fault.Fault != fakenet.ExpiredToken { // which strikes all that needs a token
			t.Fatalf("the fault did not strike: %+v, %v", receipt, err)
		}
		pe := outcome(t, err, want[fault.Fault])
		if len(receipt.Parts) != skip {
			t.Errorf("%d parts went well, the receipt of a failure lists %+v", skip, receipt.Parts)
		}
		e.exist(t, receipt)
		if pe.Op == "" || pe.Error() == "" {
			t.Errorf("the error does not say what failed: %+v", pe)
		}
		switch pe.Outcome {
		case platform.Denied:
			if pe.Hint == "" {
				t.Errorf("%q comes without a hint", pe)
			}
		case platform.Limited:
			if pe.RetryAfter <= 0 || pe.RetryAfter > 24*time.Hour {
				t.Errorf("retry after %v", pe.RetryAfter)
			}
		case platform.Rejected:
			if s.Refusal == "" || !strings.Contains(pe.Message, s.Refusal) {
				t.Errorf("the message %q lacks the platform's own words %q", pe.Message, s.Refusal)
			}
		}
		calls, least, most := len(e.fake.Calls()), skip+1, skip+1
		switch fault.Fault {
		case fakenet.ExpiredToken:
			least, most = skip, skip+2
		case fakenet.ExpiredSession:
			most++ // renewed, and the request, which was refused before it was looked at, sent once more
		case fakenet.UploadLost, fakenet.UploadLimit:
			least, most = 0, 0
		}
		if calls < least || calls > most {
			t.Errorf("%d creating requests, want %d to %d", calls, least, most)
		}
		created := skip
		if fault.Accepts {
			created = s.created(r, skip+1)
		}
		e.creations(t, created)
	})
}

// everythingEndsOnce has every fault strike once, at every part, and then does what a later run does: it looks where
// there is a way to, and sends what is missing. Where neither a look-up nor a key helps, an unknown outcome stays one.
func everythingEndsOnce(t *testing.T, s *Suite) {
	caps := s.caps()
	s.everywhere(t, func(t *testing.T, fault fakenet.FaultDoc, e *env, r *platform.Rendering, skip int) {
		a := attempt(1)
		receipt, struck, err := e.under(t, fakenet.Plan{Fault: fault.Fault, Skip: skip}, r, a)
		if fault.Fault == fakenet.ExpiredSession && (err == nil) != s.Sessions {
			t.Fatalf("an expired session: %v", err)
		}
		if err == nil {
			if renewed := s.Sessions && (fault.Fault == fakenet.ExpiredSession || fault.Fault == fakenet.ExpiredToken); struck && !renewed {
				t.Fatal("nobody noticed")
			}
			e.shows(t, receipt, r)
			e.creations(t, len(r.Parts))
			return
		}
		e.fake.Inject(fakenet.Plan{})
		a.N, a.Done = 2, receipt.Parts
		if platform.OutcomeOf(err) == platform.Unknown {
			finder, ok := e.open(t).(platform.Finder)
			switch {
			case ok:
				found, err := finder.Find(t.Context(), r, a)
				if err != nil && !errors.Is(err, platform.ErrNotFound) {
					t.Fatal(err)
				}
				if err == nil {
					a.Done = found.Parts
				}
				if len(a.Done) != len(e.fake.Posts()) {
					t.Fatalf("%d parts exist, Find says %+v, %v", len(e.fake.Posts()), found.Parts, err)
				}
			case !caps.Has(platform.CanIdempotent):
				return
			}
		}
		e.shows(t, e.published(t, r, a), r)
		e.creations(t, len(r.Parts))
	})
}

// everywhere runs a test for every fault at every creating request of a post, of one with a file and of a thread.
func (s *Suite) everywhere(t *testing.T, run func(*testing.T, fakenet.FaultDoc, *env, *platform.Rendering, int)) {
	for _, fault := range fakenet.AllFaults() {
		for _, sample := range []string{"plain", "image", "thread"} {
			account := s.Account(GoldenBase)
			r, findings := s.Adapter.Render(s.variant(find(sample), account), account)
			if findings.HasErrors() {
				continue
			}
			for skip := range s.requests(len(r.Parts)) {
				if fault.Uploads && skip > 0 {
					break
				}
				t.Run(fmt.Sprintf("%s/%s/%d", fault.Fault, sample, skip), func(t *testing.T) { run(t, fault, newEnv(t, s), &r, skip) })
			}
		}
	}
}

// quotaReachesTheBudget has the network take two posts an hour: who posts hears of it with the second, if the network
// says what is left, and with the third otherwise.
func quotaReachesTheBudget(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	e.budget = &platform.Budget{}
	e.fake.Limit(fakenet.Quota{Posts: 2, Window: time.Hour})
	r := e.one(t)
	end := Clock().Truncate(time.Hour).Add(time.Hour)
	for n := 1; n <= 2; n++ {
		e.published(t, r, attempt(n))
		if blocked := e.budget.Until().After(Clock()); blocked != (n == 2 && !s.SilentQuota) {
			t.Errorf("after post %d, blocked until %v", n, e.budget.Until())
		}
		if s.RefusesRepeats {
			r = changed(r)
		}
	}
	_, err := e.open(t).Publish(t.Context(), r, attempt(3))
	if pe := outcome(t, err, platform.Limited); pe.RetryAfter != end.Sub(Clock()) {
		t.Errorf("retry after %v, want %v", pe.RetryAfter, end.Sub(Clock()))
	}
	if !e.budget.Until().Equal(end) {
		t.Errorf("blocked until %v, want %v", e.budget.Until(), end)
	}
	e.creations(t, 2)
}

// uploadsHaveTheirOwnBudget: an account that may upload no more files for now may still post.
func uploadsHaveTheirOwnBudget(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	e.budget = &platform.Budget{}
	_, struck, err := e.under(t, fakenet.Plan{Fault: fakenet.UploadLimit, Count: -1}, e.rendering(t, "image"), attempt(1))
	if struck == (err == nil) {
		t.Errorf("struck %v, %v", struck, err)
	}
	if !e.budget.Until().IsZero() {
		t.Errorf("blocked until %v", e.budget.Until())
	}
}

// timeoutBounds: a server that does not answer costs the time that was given, for each request.
func timeoutBounds(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	e.timeout = 100 * time.Millisecond // enough for a request on a busy machine
	e.fake.Inject(fakenet.Plan{Fault: fakenet.SlowAnswer})
	_, err := e.open(t).Publish(t.Context(), e.one(t), attempt(1))
	if pe := outcome(t, err, platform.Unknown); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", pe)
	}
	e.creations(t, 1)
	e.server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) //nolint:errcheck // only then does the server notice that the client goes
		<-r.Context().Done()
	})
	_, err = e.open(t).Verify(t.Context())
	if pe := outcome(t, err, platform.Unsent); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Verify: %v", pe)
	}
}

func unreachableIsUnsent(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.one(t)
	p := e.open(t)
	e.server.Close()
	_, err := p.Publish(t.Context(), r, attempt(1))
	outcome(t, err, platform.Unsent)
	_, err = p.Verify(t.Context())
	outcome(t, err, platform.Unsent)
}

func cancelledIsUnsent(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := e.open(t).Publish(ctx, e.one(t), attempt(1))
	outcome(t, err, platform.Unsent)
	if calls := e.fake.Calls(); len(calls) != 0 {
		t.Errorf("creating requests all the same: %v", calls)
	}
}

func changedMediaIsUnsent(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.rendering(t, "image")
	if len(r.Parts[0].Media) == 0 {
		return // the platform takes no pictures, which the rendering says
	}
	for name, files := range map[string]fstest.MapFS{
		"changed": {r.Parts[0].Media[0].Path: {Data: []byte("other bytes")}},
		"missing": {},
	} {
		e.media = files
		_, err := e.open(t).Publish(t.Context(), r, attempt(1))
		if pe := outcome(t, err, platform.Unsent); !strings.Contains(pe.Error(), r.Parts[0].Media[0].Path) {
			t.Errorf("%s: %q does not name the file", name, pe)
		}
	}
	if calls := e.fake.Calls(); len(calls) != 0 {
		t.Errorf("creating requests all the same: %v", calls)
	}
}

func credentialsStay(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	var visits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer other.Close()
	e.fake.Inject(fakenet.Plan{Fault: fakenet.Redirect, Elsewhere: other.URL, Count: -1})
	_, err := e.open(t).Publish(t.Context(), e.one(t), attempt(1))
	if err == nil || visits.Load() != 0 {
		t.Errorf("another host got %d requests (%v)", visits.Load(), err)
	}
}

func secretsStay(t *testing.T, s *Suite) {
	for _, fault := range fakenet.AllFaults() {
		e := newEnv(t, s)
		_, struck, err := e.under(t, fakenet.Plan{Fault: fault.Fault, Count: -1}, e.rendering(t, "image", "plain"), attempt(1))
		if struck && err == nil {
			t.Errorf("%s went unnoticed", fault.Fault)
		}
		s.leaks(t, "an error", fmt.Sprintf("%v %+v %#v", err, err, err))
		if e.log.String() == "" {
			t.Error("nothing was logged")
		}
		s.leaks(t, "the log", e.log.String())
	}
	e := newEnv(t, s) // a server that says back what it hears
	e.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprintf(w, `{"error":%q,"message":%q}`, r.Header.Get("Authorization"), string(body)+r.URL.String())
	})
	_, err := e.open(t).Publish(t.Context(), e.one(t), attempt(1))
	s.leaks(t, "an echoed error", strings.ReplaceAll(fmt.Sprintf("%v", err), "Bearer ", ""))
	s.leaks(t, "the log", strings.ReplaceAll(e.log.String(), "Bearer ", ""))
}

func nothingIsLeft(t *testing.T, s *Suite) {
	before := runtime.NumGoroutine()
	t.Run("traffic", func(t *testing.T) {
		for _, fault := range append(fakenet.AllFaults(), fakenet.FaultDoc{}) {
			e := newEnv(t, s)
			var open atomic.Int32
			inner := e.http.Transport
			e.http.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, err := inner.RoundTrip(r)
				if err == nil {
					open.Add(1)
					resp.Body = &countedBody{ReadCloser: resp.Body, open: &open}
				}
				return resp, err
			})
			e.under(t, fakenet.Plan{Fault: fault.Fault, Count: -1}, e.rendering(t, "image", "plain"), attempt(1)) //nolint:errcheck // only what is left behind matters
			if n := open.Load(); n != 0 {
				t.Errorf("after %q, %d answers were not closed", fault.Fault, n)
			}
		}
	})
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

type countedBody struct {
	io.ReadCloser
	open   *atomic.Int32
	closed atomic.Bool
}

func (b *countedBody) Close() error {
	if !b.closed.Swap(true) {
		b.open.Add(-1)
	}
	return b.ReadCloser.Close()
}

func sameKeyAgain(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.one(t)
	e.fake.Inject(fakenet.Plan{Fault: fakenet.ServerError})
	a := attempt(1)
	_, err := e.open(t).Publish(t.Context(), r, a)
	outcome(t, err, platform.Unknown)
	a.N = 2
	e.published(t, r, a)
	calls := e.fake.Calls()
	if len(calls) != 2 || calls[0] != calls[1] {
		t.Errorf("the retry of one delivery has other keys: %+v", calls)
	}
	e.creations(t, 1)
}

func sameKeyCreatesNothing(t *testing.T, s *Suite) {
	for _, fault := range fakenet.AllFaults() {
		if !fault.Accepts {
			continue
		}
		e := newEnv(t, s)
		r := e.one(t)
		a := attempt(1)
		_, _, err := e.under(t, fakenet.Plan{Fault: fault.Fault}, r, a)
		outcome(t, err, platform.Unknown)
		for n := 2; n < 4; n++ {
			a.N = n
			e.shows(t, e.published(t, r, a), r)
		}
		e.creations(t, len(r.Parts))
	}
}

func retryKeepsEdit(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.one(t)
	a := attempt(1)
	receipt := e.published(t, r, a)
	edited := changed(r)
	if _, err := e.open(t).(platform.Editor).Edit(t.Context(), receipt, edited); err != nil {
		t.Fatal(err)
	}
	a.N = 2
	again := e.published(t, r, a)
	e.shows(t, again, edited)
	e.creations(t, len(r.Parts))
}

// changed returns the rendering with another first word in every part.
func changed(r *platform.Rendering) *platform.Rendering {
	c := *r
	c.Parts = slices.Clone(r.Parts)
	for i := range c.Parts {
		c.Parts[i].Text = "Edited. " + c.Parts[i].Text
		c.Parts[i].Facets = nil
	}
	return &c
}

func brokenThreadIsResumed(t *testing.T, s *Suite) {
	if s.OneRequest {
		return // it cannot break
	}
	for _, fault := range []fakenet.Fault{fakenet.Refuse, fakenet.RateLimit, fakenet.Forbidden} {
		for skip := range 3 {
			e := newEnv(t, s)
			r := e.rendering(t, "thread")
			e.fake.Inject(fakenet.Plan{Fault: fault, Skip: skip})
			a := attempt(1)
			receipt, err := e.open(t).Publish(t.Context(), r, a)
			if err == nil || platform.OutcomeOf(err) == platform.Unknown {
				t.Fatalf("%s at part %d: %v", fault, skip, err)
			}
			if len(receipt.Parts) != skip {
				t.Fatalf("%s at part %d: the receipt has %+v", fault, skip, receipt.Parts)
			}
			e.exist(t, receipt)
			calls := len(e.fake.Calls())
			a.N, a.Done = 2, receipt.Parts
			e.shows(t, e.published(t, r, a), r)
			if n := len(e.fake.Calls()) - calls; n != len(r.Parts)-skip {
				t.Errorf("%s at part %d: the resume made %d creating requests", fault, skip, n)
			}
			e.creations(t, len(r.Parts))
		}
	}
}

func unknownThreadIsResumed(t *testing.T, s *Suite) {
	for _, fault := range []fakenet.Fault{fakenet.ServerErrorAfterAccept, fakenet.ServerError, fakenet.ResetAfterAccept, fakenet.ResetBefore} {
		for skip := range s.requests(3) {
			e := newEnv(t, s)
			r := e.rendering(t, "thread")
			e.fake.Inject(fakenet.Plan{Fault: fault, Skip: skip})
			a := attempt(1)
			receipt, err := e.open(t).Publish(t.Context(), r, a)
			outcome(t, err, platform.Unknown)
			if len(receipt.Parts) != skip {
				t.Fatalf("%s at part %d: the receipt has %+v", fault, skip, receipt.Parts)
			}
			a.N, a.Done = 2, receipt.Parts
			found, err := e.open(t).(platform.Finder).Find(t.Context(), r, a)
			exists := len(e.fake.Posts())
			if exists == 0 {
				if !errors.Is(err, platform.ErrNotFound) {
					t.Fatalf("%s at part %d: nothing exists, Find says %v", fault, skip, err)
				}
			} else if err != nil || len(found.Parts) != exists {
				t.Fatalf("%s at part %d: %d parts exist, Find says %+v, %v", fault, skip, exists, found.Parts, err)
			}
			e.exist(t, found)
			a.Done = found.Parts
			e.shows(t, e.published(t, r, a), r)
			e.creations(t, len(r.Parts))
		}
	}
}

func findSeesAccepted(t *testing.T, s *Suite) {
	for _, fault := range fakenet.AllFaults() {
		if !fault.Accepts {
			continue
		}
		e := newEnv(t, s)
		r := e.one(t)
		_, _, err := e.under(t, fakenet.Plan{Fault: fault.Fault}, r, attempt(1))
		outcome(t, err, platform.Unknown)
		calls := len(e.fake.Calls())
		for range 2 {
			found, err := e.open(t).(platform.Finder).Find(t.Context(), r, attempt(1))
			if err != nil {
				t.Fatalf("after %s: %v", fault.Fault, err)
			}
			e.shows(t, found, r)
		}
		if len(e.fake.Calls()) != calls {
			t.Errorf("Find made creating requests")
		}
	}
}

func findProvesAbsence(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	other := e.rendering(t, "emoji", "four-images", "image")
	e.published(t, other, attempt(7))
	_, err := e.open(t).(platform.Finder).Find(t.Context(), e.one(t), attempt(1))
	if !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func findAdoptsNothingOwned(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.one(t)
	other := e.published(t, r, attempt(7))
	a := attempt(1)
	for _, p := range other.Parts {
		a.Owned = append(a.Owned, p.ID)
	}
	found, err := e.open(t).(platform.Finder).Find(t.Context(), r, a)
	if !errors.Is(err, platform.ErrNotFound) {
		t.Errorf("got %+v, %v, want ErrNotFound", found, err)
	}
}

func findUnreachable(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	p := e.open(t)
	e.server.Close()
	_, err := p.(platform.Finder).Find(t.Context(), e.one(t), attempt(1))
	if err == nil || errors.Is(err, platform.ErrNotFound) {
		t.Errorf("an unreachable server proves %v", err)
	}
}

func editInPlace(t *testing.T, s *Suite) {
	for _, name := range []string{"plain", "image", "thread"} {
		e := newEnv(t, s)
		r, findings := s.Adapter.Render(s.variant(find(name), e.account), e.account)
		if findings.HasErrors() {
			continue
		}
		receipt := e.published(t, &r, attempt(1))
		edited := changed(&r)
		for range 2 {
			after, err := e.open(t).(platform.Editor).Edit(t.Context(), receipt, edited)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for i := range receipt.Parts {
				if after.Parts[i].ID != receipt.Parts[i].ID {
					t.Errorf("%s: part %d was %q and is %q", name, i, receipt.Parts[i].ID, after.Parts[i].ID)
				}
			}
			e.shows(t, after, edited)
			receipt = after
		}
		e.creations(t, len(r.Parts))
	}
}

func find(name string) Sample {
	for _, s := range Corpus() {
		if s.Name == name {
			return s
		}
	}
	panic("no sample " + name)
}

func editNeedsSameParts(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.rendering(t, "thread")
	receipt := e.published(t, r, attempt(1))
	shorter := *r
	shorter.Parts = r.Parts[:2]
	_, err := e.open(t).(platform.Editor).Edit(t.Context(), receipt, &shorter)
	if s.OneRequest && err == nil {
		return // the receiver gets the whole post again
	}
	if !errors.Is(err, platform.ErrCannotEdit) {
		t.Errorf("got %v, want ErrCannotEdit", err)
	}
	outcome(t, err, platform.Rejected)
	e.shows(t, receipt, r)
}

func deleteTwice(t *testing.T, s *Suite) {
	e := newEnv(t, s)
	r := e.rendering(t, "plain", "image")
	if s.caps().Has(platform.CanThread) {
		r = e.rendering(t, "thread")
	}
	receipt := e.published(t, r, attempt(1))
	for range 2 {
		if err := e.open(t).(platform.Deleter).Delete(t.Context(), receipt); err != nil {
			t.Fatal(err)
		}
		if posts := e.fake.Posts(); len(posts) != 0 {
			t.Fatalf("%d posts are still there", len(posts))
		}
	}
	e.server.Close()
	err := e.open(t).(platform.Deleter).Delete(t.Context(), receipt)
	outcome(t, err, platform.Unsent)
}
