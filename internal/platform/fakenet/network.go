package fakenet

import "time"

// Network says how to run a platform's fake as a place to publish to. An adapter that has one returns it from
// a method; see [Provider].
type Network struct {
	// New returns an empty network, served at base ("http://127.0.0.1:4711"), with one account called handle.
	New func(base, handle string, now func() time.Time) Fake
	// Path is what follows base in the account's address in site.yaml.
	Path string
	// Secrets are what the network accepts, by platform.SecretSpec.Name.
	Secrets map[string]string
}

// Provider is implemented by adapters whose network the sandbox can stand in for.
type Provider interface {
	Network() Network
}
