package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/postrider/postrider/internal/approval"
	"github.com/postrider/postrider/internal/ledger"
)

// Version is what a post says on an account at some time: what people approve.
type Version struct{ Post, Account, Fingerprint string }

// Version returns what a target says now.
func (t *Target) Version() Version { return Version{t.Post, t.Account, t.Fingerprint} }

// UnaskedError says that nobody could be asked who has approved something.
type UnaskedError struct {
	Err error
	// Passing says that the next run may be able to.
	Passing bool
}

// Error implements error.
func (e *UnaskedError) Error() string {
	if e.Passing {
		return fmt.Sprintf("nobody could be asked who has approved it, and the next run asks again: %v", e.Err)
	}
	return fmt.Sprintf("nobody can be asked who has approved it: %v", e.Err)
}

// Unwrap returns the cause.
func (e *UnaskedError) Unwrap() error { return e.Err }

// needs returns how many people must have approved a target.
func (m *maker) needs(t Target) int {
	if m.Rules.Approval == nil {
		return 0
	}
	return m.Rules.Approval(t.Account, t.Campaign)
}

// goesOn reports whether a delivery only finishes what it has begun: half a thread is not sent otherwise than it was begun, unless the
// network has refused that.
func goesOn(t *Target, rec *ledger.Record) bool {
	return rec != nil && len(rec.Parts) > 0 && rec.State != ledger.Rejected && (rec.Rendering != nil || rec.Fingerprint == t.Fingerprint)
}

// unapproved reports whether a target waits for people. It comes after all other reasons, so that nobody is asked about what would not go
// out anyway. Taking down what is out needs nobody's approval.
func (m *maker) unapproved(t Target) *obstacle {
	n := m.needs(t)
	if n == 0 {
		return nil
	}
	err, asked := m.Approved[t.Version()]
	if asked && err == nil {
		return nil
	}
	m.next(t.ExpiresAt)
	if !t.Due.IsZero() {
		m.next(t.Due.Add(Allowance(m.Rules.LateAfter, t.Await)).Add(1))
	}
	if !asked {
		return because(WaitUnapproved, time.Time{}, "goes out if %s approved it: every run of publish asks first", approval.Have(n))
	}
	w := Waiting{Target: t}
	w.Asked(m.Now, err)
	return &obstacle{state: WaitUnapproved, until: w.Until, reason: w.Reason}
}

// Asked gives a target that waits for people its reason: what came of asking at a time. When nobody could be asked, the next run may know
// more.
func (w *Waiting) Asked(at time.Time, err error) {
	w.Reason, w.Until = err.Error(), time.Time{}
	if e, ok := errors.AsType[*UnaskedError](err); ok && e.Passing {
		w.Until = at
	}
}
