package platform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postrider/postrider/internal/secret"
)

// Registry is a fixed set of adapters.
type Registry struct {
	adapters []Adapter
	infos    []Info
	channels []Adapter // see WithChannels
}

// NewRegistry returns a registry of the given adapters, sorted by id. It panics when two share an
// id, which is a mistake in the program.
func NewRegistry(adapters ...Adapter) *Registry {
	r := &Registry{adapters: slices.Clone(adapters)}
	slices.SortFunc(r.adapters, func(a, b Adapter) int {
		return strings.Compare(string(a.Info().ID), string(b.Info().ID))
	})
	for i, a := range r.adapters {
		info := a.Info()
		if i > 0 && r.infos[i-1].ID == info.ID {
			panic(fmt.Sprintf("platform: two adapters are called %q", info.ID))
		}
		r.infos = append(r.infos, info)
	}
	return r
}

// WithChannels returns the registry with the adapters by which people can be told of things. Those that are not among the registry's own
// are no platforms: no account can be on them, and no post goes there.
func (r *Registry) WithChannels(adapters ...Adapter) *Registry {
	with := *r
	with.channels = slices.Clone(adapters)
	slices.SortFunc(with.channels, func(a, b Adapter) int { return strings.Compare(string(a.Info().ID), string(b.Info().ID)) })
	return &with
}

// Channels returns the adapters by which people can be told of things, sorted by id.
func (r *Registry) Channels() []Adapter { return r.channels }

// Channel returns that of them which is called id.
func (r *Registry) Channel(id ID) (Adapter, bool) {
	for _, a := range r.channels {
		if a.Info().ID == id {
			return a, true
		}
	}
	return nil, false
}

// All returns every adapter, sorted by id.
func (r *Registry) All() []Adapter { return r.adapters }

// Infos returns every adapter's facts, sorted by id.
func (r *Registry) Infos() []Info { return r.infos }

// Get returns the adapter called id.
func (r *Registry) Get(id ID) (Adapter, bool) {
	for i := range r.infos {
		if r.infos[i].ID == id {
			return r.adapters[i], true
		}
	}
	return nil, false
}

// Info returns the facts of the adapter called id.
func (r *Registry) Info(id ID) (Info, bool) {
	for i := range r.infos {
		if r.infos[i].ID == id {
			return r.infos[i], true
		}
	}
	return Info{}, false
}

// EnvName returns the environment variable that holds an account's secret: POSTRIDER_<ACCOUNT>_<NAME>,
// upper case, every character other than A–Z and 0–9 as '_'.
func EnvName(account, name string) string {
	mapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, account+"_"+name)
	return "POSTRIDER_" + mapped
}

// MissingSecretError says which environment variables an account lacks, or something else that has secrets.
type MissingSecretError struct {
	Account string
	Owner   string   // who lacks them where that is no account, by its key in site.yaml: "media.bucket"
	Names   []string // the environment variables, preferred spelling
	Specs   []SecretSpec
}

// Error implements error.
func (e *MissingSecretError) Error() string {
	names := strings.Join(e.Names, " and ")
	if e.Owner != "" {
		return fmt.Sprintf("%s lacks its secret: set %s", e.Owner, names)
	}
	return fmt.Sprintf("account %q lacks its secret: set %s", e.Account, names)
}

// LookupSecrets looks an account's secrets up with env. The aliases that other tools use count only when
// alone, that is, when the site has no second account of the platform. The error, if any, is a *MissingSecretError.
func (i Info) LookupSecrets(account string, alone bool, env func(string) string) (map[string]secret.String, error) {
	found := map[string]secret.String{}
	missing := &MissingSecretError{Account: account}
	for _, spec := range i.Secrets {
		names := []string{EnvName(account, spec.Name)}
		if alone {
			names = append(names, spec.Aliases...)
		}
		for _, name := range names {
			if s := secret.New(env(name)); !s.IsZero() {
				found[spec.Name] = s
				break
			}
		}
		if _, ok := found[spec.Name]; !ok && !spec.Optional {
			missing.Names = append(missing.Names, names[0])
			missing.Specs = append(missing.Specs, spec)
		}
	}
	if len(missing.Names) > 0 {
		return found, missing
	}
	return found, nil
}
