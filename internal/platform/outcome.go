package platform

import (
	"errors"
	"fmt"
	"time"
)

// Outcome says what may be done next after a failed request.
type Outcome uint8

// The outcomes. The zero value is the cautious one.
const (
	// Unknown: the request may have been carried out. Find it, or repeat it under a valid idempotency key, or ask a person.
	Unknown Outcome = iota
	// Unsent: provably nothing was created. Try again by itself, with back-off.
	Unsent
	// Limited: refused for now. Try again by itself, not before RetryAfter.
	Limited
	// Denied: the token or a permission is wrong. Try again once a person has mended it.
	Denied
	// Rejected: the network does not accept this content. Try again when the rendering changes.
	Rejected
)

// String returns the outcome as the ledger and the JSON outputs spell it.
func (o Outcome) String() string {
	switch o {
	case Unsent:
		return "unsent"
	case Limited:
		return "limited"
	case Denied:
		return "denied"
	case Rejected:
		return "rejected"
	default:
		return "unknown"
	}
}

// Error is what adapters return.
type Error struct {
	Outcome    Outcome
	Op         string        // what was being done: "create post", "upload image"
	Message    string        // the platform's own words where there are any
	Hint       string        // what a person can do, when that is known
	Status     int           // HTTP status, 0 when there was none
	RetryAfter time.Duration // with Limited: how long to wait; 0 when the platform did not say
	Err        error
}

// Error implements error. It never names the platform or account: who calls knows them.
func (e *Error) Error() string {
	msg := e.Message
	if msg == "" && e.Err != nil {
		msg = e.Err.Error()
	}
	if e.Status != 0 {
		msg = fmt.Sprintf("%s (HTTP %d)", msg, e.Status)
	}
	if e.Op != "" {
		msg = e.Op + ": " + msg
	}
	return msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrNotFound is what a Finder returns when it has proved that no part of an attempt exists.
var ErrNotFound = errors.New("not on the network")

// ErrNotSent is wrapped by the error of a transport that has refused to send a request: nothing has left.
var ErrNotSent = errors.New("not sent")

// ErrCannotEdit is what an Editor returns, wrapped, for a change that its network cannot express.
var ErrCannotEdit = errors.New("the network cannot change this after publishing")

// OutcomeOf classifies any error of a publisher: that of the *Error in its chain, else Unknown.
func OutcomeOf(err error) Outcome {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Outcome
	}
	return Unknown
}

// AsError returns an error of a publisher as what it is: the *Error in its chain, else one that knows nothing.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Outcome: Unknown, Err: err}
}

// CannotEdit returns the error of an [Editor] for a change that its network cannot express: it wraps [ErrCannotEdit] and says why.
func CannotEdit(op, format string, args ...any) error {
	return &Error{Outcome: Rejected, Op: op, Err: fmt.Errorf("%w: "+format, append([]any{ErrCannotEdit}, args...)...)}
}
