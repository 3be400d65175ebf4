package graph

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
)

func TestRefine(t *testing.T) {
	tests := []struct {
		answer Error
		status int
		want   platform.Outcome
		words  string
	}{
		{Error{Code: 190, Subcode: 463, Message: "Session has expired"}, 400, platform.Denied, "Session has expired (error 190/463)"},
		{Error{Code: 190, Message: "Invalid OAuth access token."}, 401, platform.Denied, "Invalid OAuth access token. (error 190)"},
		{Error{Code: 10, Message: "(#10) no"}, 400, platform.Denied, "(#10) no (error 10)"},
		{Error{Code: 200, Message: "(#200) no"}, 403, platform.Denied, "(#200) no (error 200)"},
		{Error{Code: 4, Message: "limit", Transient: true}, 403, platform.Limited, "limit (error 4)"},
		{Error{Code: 17}, 400, platform.Limited, "the network gave no reason (error 17)"},
		{Error{Code: 32}, 400, platform.Limited, ""},
		{Error{Code: 613}, 400, platform.Limited, ""},
		{Error{Code: 80001}, 400, platform.Limited, ""},
		{Error{Code: 80002}, 400, platform.Limited, ""},
		{Error{Code: 368}, 400, platform.Denied, ""},
		{Error{Code: 368, Subcode: 1390008}, 400, platform.Limited, ""},
		{Error{Code: 100, Message: "Invalid parameter", UserTitle: "Too long", UserMessage: "Write less"}, 400, platform.Rejected,
			"Too long · Write less · Invalid parameter (error 100)"},
		{Error{Code: 100, Message: "m"}, 500, platform.Rejected, "m (error 100)"},
		{Error{Code: 1, Message: "unknown"}, 400, platform.Unknown, "unknown (error 1)"},
		{Error{Code: 2}, 500, platform.Unknown, ""},
		{Error{Code: 99, Transient: true}, 400, platform.Unknown, ""},
		{Error{Code: 506, Message: "Duplicate"}, 400, platform.Rejected, "Duplicate (error 506)"}, // as its status says
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.answer.Code, "/", test.answer.Subcode, " ", test.status), func(t *testing.T) {
			w := httptest.NewRecorder()
			test.answer.Write(w)
			e := &platform.Error{Outcome: platform.Rejected, Status: test.status}
			Refine(e, w.Header(), w.Body.Bytes())
			if e.Outcome != test.want {
				t.Errorf("outcome %v, want %v", e.Outcome, test.want)
			}
			if test.words != "" && e.Message != test.words {
				t.Errorf("%q, want %q", e.Message, test.words)
			}
			if !errors.Is(e, Code{Code: test.answer.Code}) || !errors.Is(e, Code{test.answer.Code, test.answer.Subcode}) || errors.Is(e, Code{test.answer.Code, 7}) {
				t.Errorf("the code is %v", e.Err)
			}
			if (e.Outcome == platform.Denied) != (e.Hint != "") {
				t.Errorf("hint %q", e.Hint)
			}
		})
	}
	for _, body := range []string{``, `null`, `[]`, `{}`, `{"error":"x"}`, `{"error":null}`, `{"error":{}}`, `{"error":{"code":"x"}}`, `<html>`} {
		e := &platform.Error{Outcome: platform.Limited, Message: "m"}
		Refine(e, http.Header{}, []byte(body))
		if e.Outcome != platform.Limited || e.Message != "m" || e.Err != nil {
			t.Errorf("%s: %+v", body, e)
		}
	}
}

func TestRegain(t *testing.T) {
	told := http.Header{}
	TellUsage(told, "112", "pages", 100, 90*time.Second)
	tests := map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"nothing": {http.Header{}, 0},
		"our own": {told, 2 * time.Minute}, // in whole minutes
		"longest": {http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"estimated_time_to_regain_access":3},{"estimated_time_to_regain_access":19}],"2":[{}]}`}}, 19 * time.Minute},
		"app":     {http.Header{"X-App-Usage": {`{"call_count":100,"estimated_time_to_regain_access":5}`}}, 5 * time.Minute},
		"percent": {http.Header{"X-App-Usage": {`{"call_count":100,"total_time":25,"total_cputime":25}`}}, 0},
		"a year":  {http.Header{"X-App-Usage": {`{"estimated_time_to_regain_access":525600}`}}, maxRegain},
		"before":  {http.Header{"X-App-Usage": {`{"estimated_time_to_regain_access":-4}`}}, 0},
		"garbage": {http.Header{"X-App-Usage": {`{"estimated_time_to_regain_access":"soon"}`}, "X-Business-Use-Case-Usage": {`[`}}, 0},
	}
	for name, test := range tests {
		if got := regain(test.header); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
		e := &platform.Error{RetryAfter: time.Second}
		Refine(e, test.header, []byte(`{"error":{"code":4}}`))
		if want := test.want; e.RetryAfter != want && (want > 0 || e.RetryAfter != time.Second) {
			t.Errorf("%s: retry after %v", name, e.RetryAfter)
		}
	}
}

func TestSettle(t *testing.T) {
	for _, test := range []struct {
		outcome platform.Outcome
		creates bool
		want    platform.Outcome
	}{
		{platform.Unknown, true, platform.Unknown}, {platform.Unknown, false, platform.Unsent},
		{platform.Rejected, false, platform.Rejected}, {platform.Limited, true, platform.Limited},
	} {
		before := &platform.Error{Outcome: test.outcome}
		if got := platform.OutcomeOf(Settle(before, test.creates)); got != test.want || before.Outcome != test.outcome {
			t.Errorf("%+v: %v", test, got)
		}
	}
	if Settle(nil, false) != nil {
		t.Error("nothing went wrong")
	}
}

func TestProof(t *testing.T) {
	// RFC 4231, test case 2: the key is "Jefe".
	got := Proof(secret.New("what do ya want for nothing?"), secret.New("Jefe"))
	if want := "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r := httptest.NewRequest("GET", "/me", nil)
	Authorize(secret.New("t"))(r)
	if got := r.Header.Get("Authorization"); got != "Bearer t" {
		t.Errorf("%q", got)
	}
}

func FuzzRefine(f *testing.F) {
	f.Add(`{"error":{"message":"m","code":190,"error_subcode":463}}`, `{"1":[{"estimated_time_to_regain_access":3}]}`)
	f.Add(`{"error":{"code":4,"is_transient":true}}`, `{"estimated_time_to_regain_access":1e300}`)
	f.Add(`{"error":[]}`, `null`)
	f.Fuzz(func(t *testing.T, body, usage string) {
		e := &platform.Error{Message: "m"}
		Refine(e, http.Header{"X-App-Usage": {usage}}, []byte(body))
		if e.RetryAfter < 0 || e.RetryAfter > maxRegain || strings.TrimSpace(e.Message) == "" {
			t.Errorf("%+v", e)
		}
	})
}
