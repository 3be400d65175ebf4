package cli

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseDotenv(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      map[string]string
	}{
		{"nothing", "", map[string]string{}},
		{"blank lines and remarks", "\n  \n# A=1\n\t# more\n", map[string]string{}},
		{"as it stands", "A=b\nC_2 = d e \n_x=\n", map[string]string{"A": "b", "C_2": "d e", "_x": ""}},
		{"no line break at the end", "A=b", map[string]string{"A": "b"}},
		{"export", "export A=b\nexport\tB=c\nexported=d\nexport=e\n", map[string]string{"A": "b", "B": "c", "exported": "d", "export": "e"}},
		{"remarks behind values", "A=b # no\nB=c#yes\nC=#none\nD= # none\nE=\"f # yes\" # no\n",
			map[string]string{"A": "b", "B": "c#yes", "C": "", "D": "", "E": "f # yes"}},
		{"quotes", `A='b "c" \n $d'` + "\n" + `B="it's \"x\"\n\t\\ \$y $z"` + "\n" + `C=a"b"` + "\nD=''\n",
			map[string]string{"A": `b "c" \n $d`, "B": "it's \"x\"\n\t\\ $y $z", "C": `a"b"`, "D": ""}},
		{"other signs", "A=a=b==\nB=p@ss!w$rd%\n", map[string]string{"A": "a=b==", "B": "p@ss!w$rd%"}},
		{"CRLF and a byte-order mark", "\ufeffA=b\r\nB=\"c\"\r\n", map[string]string{"A": "b", "B": "c"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseDotenv([]byte(c.src))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseDotenvErrors(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"A=1\nhunter2\n", ".env:2: expected KEY=VALUE"},
		{"export A\n", ".env:1: expected KEY=VALUE"},
		{"2A=hunter2", ".env:1: the name before '=' must be letters, digits and _, and not begin with a digit"},
		{"my key=hunter2", ".env:1: the name before '=' must be letters, digits and _, and not begin with a digit"},
		{"=hunter2", ".env:1: the name before '=' must be letters, digits and _, and not begin with a digit"},
		{"A=1\n\nA=hunter2\n", ".env:3: A is set already, on line 1"},
		{"A='hunter2\n", ".env:1: the value of A lacks its closing quote"},
		{"A=\"hunter2\\", ".env:1: the value of A lacks its closing quote"},
		{"A=\"hunter2\\x\"\n", `.env:1: the value of A has an unknown escape behind a \: in double quotes write \\, or use single quotes`},
		{"A='hunter2'hunter3\n", ".env:1: the value of A goes on behind its closing quote"},
		{"A='hunter2'#3\n", ".env:1: the value of A goes on behind its closing quote"},
		{"A=hunter\xff2", ".env:1: the line is not valid UTF-8"},
		{"A=hunter\x002", ".env:1: the line holds a control character"},
		{"A=hunter\r2\n", ".env:1: the line holds a control character"},
		{strings.Repeat("#", dotenvMaxBytes+1), ".env: the file is larger than 1048576 bytes"},
	} {
		_, err := parseDotenv([]byte(c.src))
		if err == nil || err.Error() != c.want {
			t.Errorf("%.20q: error %v, want %s", c.src, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter") {
			t.Errorf("%q: the error quotes a value: %v", c.src, err)
		}
	}
}

// What is read can be written in single or double quotes and is then read again as the same.
func FuzzParseDotenv(f *testing.F) {
	for _, seed := range []string{
		"A=b\n", "export A='b' # c\r\n", "A=\"\\n\\\"\\\\\\$\"\n", "\ufeffA=\n=\n", "A=1\nA=2", "A='", "A=\"\\", "A=b #c\nB=#", "\x00", "A=\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		values, err := parseDotenv(src)
		if err != nil {
			if values != nil {
				t.Errorf("values beside the error %v", err)
			}
			return
		}
		var b strings.Builder
		escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)
		for key, value := range values {
			if !isEnvName(key) {
				t.Errorf("%q is no name", key)
			}
			b.WriteString(key + `="` + escape.Replace(value) + "\"\n")
		}
		again, err := parseDotenv([]byte(b.String()))
		if err != nil || !maps.Equal(values, again) {
			t.Errorf("written again as %q: %v, error %v, want %v", b.String(), again, err, values)
		}
	})
}
