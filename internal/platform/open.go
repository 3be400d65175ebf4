package platform

import (
	"reflect"

	"github.com/postrider/postrider/internal/secret"
)

// opOpen is the operation in the errors of an [Adapter.Open].
const opOpen = "open"

// OptionsOf returns an account's options, which are a *T and keep to their own rules. Its error is an *[Error] with
// outcome Unsent: it stands in site.yaml.
func OptionsOf[T any](a *Account) (*T, error) {
	o, ok := a.Options.(*T)
	if !ok {
		return nil, &Error{Outcome: Unsent, Op: opOpen, Message: "the account has no options of type " + reflect.TypeFor[T]().String()}
	}
	if v, ok := a.Options.(OptionsValidator); ok {
		if problems := v.Validate(); len(problems) > 0 {
			p := problems[0]
			return nil, &Error{Outcome: Unsent, Op: opOpen, Message: p.Key + ": " + p.Message, Hint: p.Hint}
		}
	}
	return o, nil
}

// Secret returns one secret of an account, by its SecretSpec.Name. what is how people call it: "access token". Where there is none, the error
// is an *[Error] with outcome Denied that names the variable to set.
func (d *Deps) Secret(a *Account, name, what string) (secret.String, error) {
	s := d.Secrets[name]
	if s.IsZero() {
		return s, &Error{Outcome: Denied, Op: opOpen, Message: "there is no " + what, Hint: "set " + EnvName(a.Name, name)}
	}
	return s, nil
}
