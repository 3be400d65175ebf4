package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/postrider/postrider/internal/content"
	"github.com/postrider/postrider/internal/finding"
	"github.com/postrider/postrider/internal/platform"
	"github.com/postrider/postrider/internal/secret"
	"github.com/postrider/postrider/internal/utm"
)

// accounts reads `accounts:`.
func (d *decoder) accounts(n *yaml.Node, list *[]platform.Account) {
	prefixes := map[string]string{}
	for _, e := range d.pairs(n, "accounts") {
		d.account = e.key
		d.site.places["accounts."+e.key] = d.span(e.keyNode)
		prefix := platform.EnvName(e.key, "")
		if other, clash := prefixes[prefix]; clash {
			d.fail(CodeClash, d.span(e.keyNode), fmt.Sprintf("accounts %q and %q would take their secrets from the same variables, %s…", other, e.key, prefix), "rename one of them")
		}
		prefixes[prefix] = e.key
		if a, ok := d.oneAccount(e); ok && d.checkName("account", e) {
			*list = append(*list, a)
		} else {
			d.site.broken = append(d.site.broken, e.key)
		}
	}
	d.account = ""
}

// keyTokenExpires is the day on which an account's token dies.
const keyTokenExpires = "token_expires"

// oneAccount reads one account; ok is false when not even its platform is known.
func (d *decoder) oneAccount(e pair) (a platform.Account, ok bool) {
	where := "accounts." + e.key
	entries := d.pairs(e.value, where)
	a = platform.Account{Name: e.key}
	info, ok := d.platformOf(e, entries)
	if !ok {
		return a, false
	}
	a.Platform = info.ID
	if _, isPlatform := d.reg.Info(platform.ID(e.key)); isPlatform && e.key != string(info.ID) {
		d.fail(CodeMislead, d.span(e.keyNode), fmt.Sprintf("the account is named %q but is on %s", e.key, info.Name), "name it after what it is, such as "+string(info.ID)+"-main")
	}

	before := len(d.out)
	options := reflect.Value{}
	var known []string
	if info.NewOptions != nil {
		a.Options = info.NewOptions()
		options = reflect.ValueOf(a.Options).Elem()
		known = keys(options.Type())
	}
	known = append(known, "defaults", "platform", approvalKey, "utm")
	if len(info.Prices) > 0 {
		known = append(known, capKey)
	}
	if info.TokensEnd {
		known = append(known, keyTokenExpires)
	}
	slices.Sort(known)
	for _, p := range entries {
		switch {
		case p.key == "platform":
		case p.key == "defaults":
			d.decode(p.value, reflect.ValueOf(&a.Defaults).Elem(), where+".defaults")
		case p.key == keyTokenExpires && info.TokensEnd:
			d.decode(p.value, reflect.ValueOf(&a.TokenExpires).Elem(), where+"."+keyTokenExpires)
		case p.key == "utm":
			var rule utm.Rule
			d.decode(p.value, reflect.ValueOf(&rule).Elem(), where+".utm")
			if len(rule.Params) > 0 || rule.Hosts != nil {
				if d.site.utm == nil {
					d.site.utm = map[string]utm.Rule{}
				}
				d.site.utm[e.key] = rule
			}
		case p.key == approvalKey:
			var people People
			d.decode(p.value, reflect.ValueOf(&people).Elem(), where+"."+approvalKey)
			if d.site.approval == nil {
				d.site.approval = map[string]People{}
			}
			d.site.approval[e.key] = people
		case p.key == capKey:
			d.monthlyCap(p, &a, info)
		case slices.Contains(known, p.key):
			d.option(p, options, where)
		case p.key == keyTokenExpires:
			d.unknown(p, known, fmt.Sprintf("tokens of %s do not end on a day that is known", info.Name))
		case isSecret(p.key, info):
			d.secret(p, secretNames(e.key, info))
		default:
			d.unknown(p, known, "")
		}
	}
	if len(d.out) == before {
		d.checkOptions(a.Options, "accounts", e.key)
	}
	return a, true
}

// option reads a setting of a platform's own into its options.
func (d *decoder) option(p pair, options reflect.Value, where string) {
	f, _ := field(options.Type(), p.key)
	d.decode(p.value, options.FieldByIndex(f.Index), where+"."+p.key)
	if allowed := f.Tag.Get("enum"); allowed != "" {
		d.enum(p, options.FieldByIndex(f.Index), strings.Split(allowed, ","))
	}
}

// checkOptions has a platform say what is wrong with its options, which stand at a path in site.yaml.
func (d *decoder) checkOptions(options any, at ...string) {
	if v, ok := options.(platform.OptionsValidator); ok {
		for _, problem := range v.Validate() {
			d.fail(CodeOption, d.site.Place(slices.Concat(at, strings.Split(problem.Key, "."))...), problem.Message, problem.Hint)
		}
	}
}

// isSecret reports whether somebody who writes this key means a secret: by its name, or because the platform has one that is called so.
func isSecret(key string, info platform.Info) bool {
	return secret.Key(key) || slices.ContainsFunc(info.Secrets, func(s platform.SecretSpec) bool { return strings.EqualFold(s.Name, key) })
}

// secretNames names the variables that hold the secrets of an account or a channel.
func secretNames(owner string, info platform.Info) string {
	var names []string
	for _, s := range info.Secrets {
		names = append(names, platform.EnvName(owner, s.Name))
	}
	return strings.Join(names, " and ")
}

// capKey is the key of the most that an account may spend in a month.
const capKey = "monthly_cap"

// monthlyCap reads it. Only networks that charge have one: on others, somebody believes in a guard that there is none of.
func (d *decoder) monthlyCap(p pair, a *platform.Account, info platform.Info) {
	n := resolve(p.value)
	d.site.places["accounts."+a.Name+"."+capKey] = d.span(n)
	if len(info.Prices) == 0 {
		var charging []string
		for _, i := range d.reg.Infos() {
			if len(i.Prices) > 0 {
				charging = append(charging, string(i.ID))
			}
		}
		hint := "remove it"
		if len(charging) > 0 {
			hint += "; those that charge: " + strings.Join(charging, ", ")
		}
		d.fail(CodeOption, d.span(p.keyNode), fmt.Sprintf("%s charges nothing for posts, so there is nothing to cap", info.Name), hint)
		return
	}
	if null(n) {
		return
	}
	d.scalar(n, p.key, "an amount in US dollars such as 25 or 12.50 USD", func(s string) error {
		usd, err := platform.ParseUSD(s)
		if err == nil && usd == 0 {
			err = errors.New("with none nothing would go out; to stop an account, use hold")
		}
		a.MonthlyCap = usd
		return err
	})
}

// platformOf finds an account's platform: as given, or the account's name where that is one.
func (d *decoder) platformOf(e pair, entries []pair) (platform.Info, bool) {
	var ids []string
	for _, i := range d.reg.Infos() {
		ids = append(ids, string(i.ID))
	}
	for _, p := range entries {
		if p.key != "platform" {
			continue
		}
		n := resolve(p.value)
		if info, ok := d.reg.Info(platform.ID(n.Value)); ok && n.Kind == yaml.ScalarNode {
			return info, true
		}
		if n.Kind != yaml.ScalarNode || null(n) {
			d.wrong(n, "platform", "the name of a platform")
		} else {
			hint := didYouMean(n.Value, ids, "known platforms: "+strings.Join(ids, ", "))
			if _, ok := d.reg.Channel(platform.ID(n.Value)); ok {
				hint = "posts do not go there; under notify.channels people can be told there of what happens"
			}
			d.fail(CodePlatform, d.span(n), fmt.Sprintf("unknown platform %q", n.Value), hint)
			d.mend(d.span(n), n.Value, content.Certain(n.Value, ids))
		}
		return platform.Info{}, false
	}
	if info, ok := d.reg.Info(platform.ID(e.key)); ok {
		return info, true
	}
	if resolve(e.value).Kind == yaml.MappingNode || null(resolve(e.value)) {
		d.fail(CodePlatform, d.span(e.keyNode), fmt.Sprintf("account %q does not say which platform it is on", e.key), "add platform: one of "+strings.Join(ids, ", "))
	}
	return platform.Info{}, false
}

// checkName reports a name that cannot be used.
func (d *decoder) checkName(what string, e pair) bool {
	if validName(e.key) && e.key != ScopeAll {
		return true
	}
	hint := "names consist of a–z, 0–9, - and _, and begin with a letter or digit"
	if e.key == ScopeAll {
		hint = "in a hold it stands for everything"
	}
	d.fail(CodeName, d.span(e.keyNode), fmt.Sprintf("%q cannot be the name of %s", e.key, article(what)), hint)
	return false
}

func article(noun string) string {
	if strings.IndexByte("aeiou", noun[0]) >= 0 {
		return "an " + noun
	}
	return "a " + noun
}

// validName reports whether a name matches [a-z0-9][a-z0-9_-]*, 64 letters at most.
func validName(s string) bool {
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return false
		}
	}
	return s != "" && len(s) <= 64
}

const hintSecret = "secrets come from the environment, and one that was committed must be replaced"

// secret reports a secret that stands in the file, without its value. names are the variables that it belongs into, where that is known.
func (d *decoder) secret(p pair, names string) {
	hint := hintSecret
	if names != "" {
		hint = "remove it and set " + names + " in the environment; if it was committed, replace it"
	}
	d.leak(p, hint)
}

// leak reports a key that sounds like that of a secret.
func (d *decoder) leak(p pair, hint string) {
	d.out.Add(finding.Finding{
		Code: CodeSecret, Severity: finding.Error, Path: d.path, Range: d.across(p), Account: d.account, Private: true,
		Message: fmt.Sprintf("key %q looks like a secret, which must not be in the file", p.key), Hint: hint,
	})
}

// secrets reports what looks like a secret wherever it stands, comments included, and keeps all that was found from telling one: lines with
// something like it are not quoted, and what a message repeats of the file is masked.
func (d *decoder) secrets() {
	if len(d.src) > MaxBytes {
		return
	}
	src, at := string(d.src), finding.NewLocator(d.src)
	found := d.out
	secret.Find(src, func(start, end int, what string) {
		r := at.Range(start, end)
		if slices.ContainsFunc(found, func(f finding.Finding) bool {
			return f.Code == CodeSecret && f.Range.Start.Line <= r.Start.Line && r.Start.Line <= max(f.Range.Start.Line, f.Range.End.Line)
		}) {
			return // its key has told
		}
		d.out.Add(finding.Finding{
			Code: CodeSecret, Severity: finding.Error, Path: d.path, Range: r, Private: true,
			Message: "this looks like " + what + ", which must not be in the file", Hint: hintSecret,
		})
	})
	if len(d.out) == 0 {
		return
	}
	lines, private := strings.Split(src, "\n"), map[int]bool{}
	for i := range d.out {
		f := &d.out[i]
		f.Message, f.Hint = secret.Mask(f.Message), secret.Mask(f.Hint)
		for n := f.Range.Start.Line; n > 0 && n <= min(max(f.Range.Start.Line, f.Range.End.Line), len(lines)) && !f.Private; n++ {
			known, ok := private[n]
			if !ok {
				known = secret.Line(lines[n-1])
				private[n] = known
			}
			f.Private = known
		}
	}
}
