//go:build unix

package chaos_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"
	"time"
)

var (
	long      = flag.Bool("long", false, "run random schedules for many minutes")
	firstSeed = flag.Uint64("seed", 1, "the first seed of TestRandom and TestDaemons")
	seeds     = flag.Uint64("seeds", 0, "how many random schedules to run; 0: a handful, or 2000 with -long, and 40 with daemons")
	tableFile = flag.String("table", "", "write the table to this `FILE`, as Markdown")
)

const (
	fewSeeds  = 4
	manySeeds = 2000
	longTime  = 40 * time.Minute // more than they take
	// patience is how long the harness waits for something that must happen before it gives up.
	patience = 60 * time.Second
)

// seedsAsked is what -seeds said.
var seedsAsked uint64

// binary is the program, built with the tag chaos.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	seedsAsked = *seeds
	if *seeds == 0 {
		*seeds = fewSeeds
		if *long {
			*seeds = manySeeds
		}
	}
	if limit, ok := flag.Lookup("test.timeout").Value.(flag.Getter).Get().(time.Duration); ok && *long && limit > 0 && limit < longTime {
		fmt.Fprintf(os.Stderr, "-long takes longer than go test waits for it: run go test ./test/chaos -long -timeout 1h\n")
		return 1
	}
	// Worlds wait for their processes much of the time.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	// Where there is a file system in memory, worlds live there: it is processes that die here, not machines.
	memory := ""
	if fi, err := os.Stat("/dev/shm"); err == nil && fi.IsDir() {
		memory = "/dev/shm"
	}
	dir, err := os.MkdirTemp(memory, "postrider-chaos-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // some publishers run as another user
		panic(err)
	}
	if err := os.Setenv("TMPDIR", dir); err != nil { // of t.TempDir
		panic(err)
	}
	if binary, err = build(filepath.Join(dir, "postrider"), "-tags", "chaos"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if results.empty() {
		return code
	}
	var b bytes.Buffer
	results.print(&b)
	fmt.Print(b.String())
	if *tableFile != "" {
		if err := os.WriteFile(*tableFile, b.Bytes(), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

// build builds the program to a file.
func build(file string, flags ...string) (string, error) {
	args := append(append([]string{"build", "-ldflags=-s -w"}, flags...), "-o", file, "github.com/postrider/postrider/cmd/postrider")
	out, err := exec.Command("go", args...).CombinedOutput() //nolint:noctx // go build ends by itself
	if err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return file, nil
}
