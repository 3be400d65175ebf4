package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/postrider/postrider"
	"github.com/postrider/postrider/internal/adapters"
	"github.com/postrider/postrider/internal/cli"
)

var update = flag.Bool("update", false, "write what the scripts compare with into them")

// TestMain lets the scripts run the program: this test binary, under the name postrider.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"postrider": func() { fillDisk(); os.Exit(cli.Main(environment())) },
		"painter":   func() { os.Exit(paint(os.Args[1:])) },
		"crasher":   func() { os.Exit(crash()) },
	})
}

// environment is the real one, except that a script sets the clock with NOW, that HURRY makes all waits end at once, and that
// ids are always the same, unless CHANCE is set: programs that run at once need names of their own.
func environment() cli.Env {
	env := cli.System(adapters.All(), postrider.Sample)
	if text := os.Getenv("NOW"); text != "" {
		now, err := time.Parse(time.RFC3339, text)
		if err != nil {
			panic(err)
		}
		env.Now = func() time.Time { return now }
	}
	if os.Getenv("HURRY") != "" {
		env.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	if os.Getenv("CHANCE") == "" {
		env.Rand = new(counter)
	}
	return env
}

// counter reads as 0, 1, 2 … for ever.
type counter byte

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(*c)
		*c++
	}
	return len(p), nil
}

func TestScripts(t *testing.T) {
	type webKey struct{}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[webKey{}] = newWeb(env)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("TZ", "Europe/Berlin")
			env.Setenv("NOW", "2026-11-21T12:00:00Z")
			env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
			env.Setenv("GIT_AUTHOR_NAME", "Ada")
			env.Setenv("GIT_AUTHOR_EMAIL", "ada@example.com")
			env.Setenv("GIT_COMMITTER_NAME", "Ada")
			env.Setenv("GIT_COMMITTER_EMAIL", "ada@example.com")
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits": exits,
			"page": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Value(webKey{}).(*web).page(ts, args)
			},
			"expand": expand,
			"bytes":  writeBytes,
			"large":  writeLarge,
			"png":    writePNG,
		},
	})
}

// exits CODE COMMAND ARGS… runs a command that must end with an exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// bytes FILE HEX… writes bytes that no script can hold.
func writeBytes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: bytes FILE HEX…")
	}
	data, err := hex.DecodeString(string(bytes.Join(toBytes(args[1:]), nil)))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o666))
}

func toBytes(args []string) (all [][]byte) {
	for _, a := range args {
		all = append(all, []byte(a))
	}
	return all
}

// large FILE BYTES writes a text of that size.
func writeLarge(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: large FILE BYTES")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	line := []byte("This line is one of very many.\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), bytes.Repeat(line, n/len(line)+1)[:n], 0o666))
}

// png FILE WIDTH HEIGHT draws a picture.
func writePNG(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: png FILE WIDTH HEIGHT")
	}
	var size [2]int
	for i := range size {
		n, err := strconv.Atoi(args[i+1])
		ts.Check(err)
		size[i] = n
	}
	img := image.NewPaletted(image.Rect(0, 0, size[0], size[1]), color.Palette{color.White, color.Black})
	var b bytes.Buffer
	ts.Check(png.Encode(&b, img))
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o777))
	ts.Check(os.WriteFile(file, b.Bytes(), 0o666))
}

// A run of the real main, for what a script cannot see: that it says nothing to stderr when all is well.
func TestHelpIsAResult(t *testing.T) {
	var out, errs bytes.Buffer
	env := cli.System(adapters.All(), postrider.Sample)
	env.Args, env.Stdout, env.Stderr = []string{"--help"}, &out, &errs
	if code := cli.Main(env); code != cli.ExitDone || out.Len() == 0 || errs.Len() != 0 {
		t.Errorf("exit code %d, %d bytes on stdout, on stderr %q", code, out.Len(), errs.String())
	}
}

// Every verb has a short line, examples or an obvious use, and help that exits 0.
func TestFullDiskIsAnError(t *testing.T) {
	var errs bytes.Buffer
	env := cli.System(adapters.All(), postrider.Sample)
	env.Args, env.Stdout, env.Stderr = []string{"platforms", "--json"}, full{}, &errs
	if code := cli.Main(env); code != cli.ExitFailed {
		t.Errorf("exit code %d, want %d", code, cli.ExitFailed)
	}
	if got, want := errs.String(), "postrider: write the result: no space left on device\n"; got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("no space left on device") }
