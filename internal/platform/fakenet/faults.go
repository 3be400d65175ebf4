package fakenet

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"net/http"
	"sync"
	"time"
)

// Fault names a way in which a network fails.
type Fault string

// The faults. Those that say "after accept" create the post first: whoever sends it again doubles it.
const (
	None                   Fault = ""
	TimeoutAfterAccept     Fault = "timeout-after-accept"
	SlowAnswer             Fault = "slow-answer"
	LateAccept             Fault = "late-accept"
	ResetBefore            Fault = "reset-before"
	HalfRequest            Fault = "half-request"
	ResetAfterAccept       Fault = "reset-after-accept"
	HalfResponse           Fault = "half-response"
	Garbage                Fault = "garbage"
	Refuse                 Fault = "refuse"
	RateLimit              Fault = "rate-limit"
	ExpiredSession         Fault = "expired-session"
	ExpiredToken           Fault = "expired-token"
	Forbidden              Fault = "forbidden"
	ServerError            Fault = "server-error"
	ServerErrorAfterAccept Fault = "server-error-after-accept"
	Redirect               Fault = "redirect"
	UploadLost             Fault = "upload-lost"
	UploadLimit            Fault = "upload-limit"
)

// FaultDoc explains one fault.
type FaultDoc struct {
	Fault Fault
	Help  string
	// Accepts tells that the post exists although the sender cannot know.
	Accepts bool
	// Uploads tells that it strikes files on their way, before any post. Where files travel in the creating request,
	// as with webhooks, it never strikes.
	Uploads bool
}

// AllFaults returns every fault with its explanation, in the order in which documentation lists them.
func AllFaults() []FaultDoc {
	return []FaultDoc{
		{Fault: TimeoutAfterAccept, Help: "accepts the post and never answers", Accepts: true},
		{Fault: SlowAnswer, Help: "accepts the post and is slow to answer", Accepts: true},
		{Fault: LateAccept, Help: "keeps the request and accepts it when nobody waits any more", Accepts: true},
		{Fault: ResetBefore, Help: "closes the connection before looking at the request"},
		{Fault: HalfRequest, Help: "closes the connection in the middle of the request"},
		{Fault: ResetAfterAccept, Help: "accepts the post and closes the connection without an answer", Accepts: true},
		{Fault: HalfResponse, Help: "accepts the post and breaks off in the middle of the answer", Accepts: true},
		{Fault: Garbage, Help: "accepts the post and answers 200 with a page of HTML", Accepts: true},
		{Fault: Refuse, Help: "refuses the content, as the platform words it"},
		{Fault: RateLimit, Help: "refuses for now, as the platform limits its clients"},
		{Fault: ExpiredSession, Help: "ends the session, where it has sessions; a new one is fine"},
		{Fault: ExpiredToken, Help: "no longer accepts the token"},
		{Fault: Forbidden, Help: "knows the token but does not let it post"},
		{Fault: ServerError, Help: "answers 500 and has posted nothing"},
		{Fault: ServerErrorAfterAccept, Help: "answers 500 although it has posted", Accepts: true},
		{Fault: Redirect, Help: "redirects to another host"},
		{Fault: UploadLost, Help: "takes a file and closes the connection without an answer", Uploads: true},
		{Fault: UploadLimit, Help: "takes no more files for now", Uploads: true},
	}
}

// uploads reports whether a fault strikes files instead of posts.
func (f Fault) uploads() bool { return f == UploadLost || f == UploadLimit }

// Plan says which creating requests fail, and how; with UploadLost and UploadLimit, which uploads of files. Its functions
// are called for the same requests, also when Fault is None, and may block: the request waits.
type Plan struct {
	Fault Fault
	Skip  int // so many creating requests go well first
	Count int // so many fail then; 0 means 1, a negative number all
	// Hang is how long TimeoutAfterAccept keeps the connection, SlowAnswer its answer and LateAccept the request; 0
	// means until the client goes away.
	Hang time.Duration
	// Arrived is called before anything is done with the request. Its body may have been read.
	Arrived func()
	// Reached is called when the fault strikes, after the post was accepted where the fault accepts it; with None after
	// the post was accepted and before it is answered.
	Reached func()
	// Answered is called once a whole answer has left for the client.
	Answered func()
	// Elsewhere is where Redirect leads.
	Elsewhere string
}

// Quota is how many posts a network takes in a stretch of time.
type Quota struct {
	Posts  int // 0 for no limit
	Window time.Duration
}

// Allowance is what is left of a quota at an answer.
type Allowance struct {
	Quota
	Left  int
	Now   time.Time
	Reset time.Time // when it is whole again
}

// Faults is the fault switch of a fake, its quota and its log of creating requests; fakes embed it. The zero
// value breaks nothing.
type Faults struct {
	// Clock and Tell are set by fakes that know quotas, before they serve. Tell writes an allowance into the header of
	// an answer, in the platform's own form; of a refusal it has the header that RateLimit gives it.
	Clock func() time.Time
	Tell  func(http.Header, Allowance)

	mu      sync.Mutex
	plan    Plan
	seen    int // creating requests since Inject
	uploads int // uploads of files since Inject
	calls   []Call
	quota   Quota
	window  time.Time // the one that used counts
	used    int
}

// Inject implements [Fake].
func (f *Faults) Inject(p Plan) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Count == 0 {
		p.Count = 1
	}
	f.plan, f.seen, f.uploads = p, 0, 0
}

// Limit implements [Fake].
func (f *Faults) Limit(q Quota) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.quota, f.window, f.used = q, time.Time{}, 0
}

// Calls implements [Fake].
func (f *Faults) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Call(nil), f.calls...)
}

// Strikes reports whether the next creating request will meet fault. Fakes use it to let other
// endpoints fail alike: a dead token is dead everywhere.
func (f *Faults) Strikes(fault Fault) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.plan.Fault == fault && f.plan.hits(f.seen)
}

// hits reports whether the plan is about request number n since Inject.
func (p *Plan) hits(n int) bool { return n >= p.Skip && (p.Count < 0 || n < p.Skip+p.Count) }

// called calls one of a plan's functions if it is there.
func called(f func()) {
	if f != nil {
		f()
	}
}

// next logs a creating request and returns the plan for it, an empty one if none is about it.
func (f *Faults) next(key string) Plan {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, Call{Key: key})
	var plan Plan
	if !f.plan.Fault.uploads() && f.plan.hits(f.seen) {
		plan = f.plan
	}
	f.seen++
	return plan
}

// Break closes the connection in the middle of a creating request if that is the plan for it. Fakes that read the body
// before they call Create call it first.
func (f *Faults) Break(r *http.Request, key string) {
	if !f.Strikes(HalfRequest) {
		return
	}
	plan := f.next(key)
	called(plan.Arrived)
	plan.breakOff(r)
}

// breakOff reads half of a request's body and closes the connection.
func (p *Plan) breakOff(r *http.Request) {
	io.CopyN(io.Discard, r.Body, r.ContentLength/2) //nolint:errcheck // the connection is about to break
	called(p.Reached)
	panic(http.ErrAbortHandler)
}

// Create serves one creating request, whose body may have been read already. accept does what the network does when all is well; refuse
// answers Refuse, RateLimit, ExpiredSession, ExpiredToken, Forbidden and ServerError in the platform's own form.
func (f *Faults) Create(w http.ResponseWriter, r *http.Request, key string, accept http.HandlerFunc, refuse func(http.ResponseWriter, Fault)) {
	plan := f.next(key)
	if plan.Fault == LateAccept { // who gives up once it has arrived has sent all of it
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	called(plan.Arrived)
	switch plan.Fault {
	case ResetBefore:
		called(plan.Reached)
		panic(http.ErrAbortHandler)
	case HalfRequest:
		plan.breakOff(r)
	case Refuse, RateLimit, ExpiredSession, ExpiredToken, Forbidden, ServerError:
		refuse(w, plan.Fault)
		called(plan.Reached)
		plan.answered(w)
		return
	case Redirect:
		http.Redirect(w, r, plan.Elsewhere, http.StatusTemporaryRedirect)
		called(plan.Reached)
		plan.answered(w)
		return
	case LateAccept:
		wait(r, plan.Hang)
	}

	var answer recorder
	f.metered(&answer, r, accept, refuse)
	if answer.status >= 400 { // it was not accepted: the network has the word
		answer.writeTo(w)
		plan.answered(w)
		return
	}
	called(plan.Reached)
	switch plan.Fault {
	case TimeoutAfterAccept:
		io.Copy(io.Discard, r.Body) //nolint:errcheck // only then does the server notice that the client goes
		wait(r, plan.Hang)
		panic(http.ErrAbortHandler)
	case ResetAfterAccept:
		panic(http.ErrAbortHandler)
	case HalfResponse:
		maps.Copy(w.Header(), answer.header)
		w.WriteHeader(answer.status)
		w.Write(answer.body.Bytes()[:answer.body.Len()/2]) //nolint:errcheck // the connection is about to break
		http.NewResponseController(w).Flush()              //nolint:errcheck // as above
		panic(http.ErrAbortHandler)
	case Garbage:
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<!doctype html><title>Welcome to our captive portal")) //nolint:errcheck // a fault
	case ServerErrorAfterAccept:
		refuse(w, ServerError)
	case SlowAnswer:
		io.Copy(io.Discard, r.Body) //nolint:errcheck // as above
		wait(r, plan.Hang)
		answer.writeTo(w)
	default:
		answer.writeTo(w)
	}
	plan.answered(w)
}

// answered makes sure that an answer has left, and says so.
func (p *Plan) answered(w http.ResponseWriter) {
	if p.Answered != nil {
		http.NewResponseController(w).Flush() //nolint:errcheck // the client may be gone
		p.Answered()
	}
}

// metered has the network accept a post if its quota allows that, and say what is left.
func (f *Faults) metered(w *recorder, r *http.Request, accept http.HandlerFunc, refuse func(http.ResponseWriter, Fault)) {
	f.mu.Lock()
	if f.quota.Posts == 0 {
		f.mu.Unlock()
		accept(w, r)
		return
	}
	a := Allowance{Quota: f.quota, Now: f.Clock()}
	start := a.Now.Truncate(a.Window)
	a.Reset = start.Add(a.Window)
	if !start.Equal(f.window) {
		f.window, f.used = start, 0
	}
	taken := f.used < f.quota.Posts
	if taken {
		f.used++
	}
	a.Left = f.quota.Posts - f.used
	f.mu.Unlock()
	if taken {
		accept(w, r)
	} else {
		refuse(w, RateLimit)
	}
	f.Tell(w.Header(), a)
}

// Upload serves the upload of one file. refuse answers RateLimit in the platform's own form.
func (f *Faults) Upload(w http.ResponseWriter, r *http.Request, accept http.HandlerFunc, refuse func(http.ResponseWriter, Fault)) {
	f.mu.Lock()
	var plan Plan
	if f.plan.Fault.uploads() && f.plan.hits(f.uploads) {
		plan = f.plan
	}
	f.uploads++
	f.mu.Unlock()
	called(plan.Arrived)
	if plan.Fault == UploadLimit {
		refuse(w, RateLimit)
		called(plan.Reached)
		plan.answered(w)
		return
	}
	if plan.Fault == None {
		accept(w, r)
		return
	}
	accept(&recorder{}, r)
	called(plan.Reached)
	panic(http.ErrAbortHandler)
}

// wait waits until the client goes away, or for d.
func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		<-r.Context().Done()
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.Context().Done():
	case <-timer.C:
	}
}

// recorder keeps an answer that may never be sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *recorder) Header() http.Header {
	if a.header == nil {
		a.header = http.Header{}
	}
	return a.header
}

func (a *recorder) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *recorder) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *recorder) writeTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(cmp.Or(a.status, http.StatusOK))
	w.Write(a.body.Bytes()) //nolint:errcheck // a fake
}
