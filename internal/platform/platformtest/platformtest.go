// Package platformtest is the conformance suite that every adapter passes.
//
// An adapter's whole conformance test is a call of [Run] with a [Suite] that says how to make an
// account and the platform's fake server. The cases are flat and named; a case that needs a
// capability that the platform does not have is left out.
package platformtest

import (
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/platform/fakenet"
	"github.com/postrider/postrider/internal/secret"
)

// Suite says what the cases need to know of an adapter.
type Suite struct {
	Adapter platform.Adapter
	// Account returns an account of the platform whose server is at base, a URL without final slash.
	// It is also called with "https://golden.example", for everything that sends nothing.
	Account func(base string) *platform.Account
	Secrets map[string]secret.String
	// Fake returns a fresh fake that accepts Secrets and will be served at base.
	Fake func(base string) fakenet.Fake
	// OneRequest tells that a thread goes out in a single request, as a whole or not at all.
	OneRequest bool
	// Refusal is a part of what the fake says to fakenet.Refuse: people must get to read it.
	Refusal string
}
