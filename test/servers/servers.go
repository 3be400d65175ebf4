// Package servers starts real servers for tests: a Bluesky PDS, GoToSocial, which speaks the
// Mastodon API, and Gitea, a code host. The script install beside it puts them on the machine; each test that starts one gets
// a fresh instance on a loopback port, with its data in the test's temporary folder and accounts.
//
// An instance ends with its test, also when the test process is killed. Its log is shown when the test
// fails.
package servers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// EnvVar is the environment variable that, set to 1, asks for the tests against real servers.
const EnvVar = "POSTRIDER_TEST_SERVERS"

// startLimit is how long a server may take until it answers; on an idle machine it takes 1 to 4 s.
const startLimit = 90 * time.Second

// Enabled reports whether tests against real servers are asked for. They must then run: a server that
// is not installed or does not start fails the test.
func Enabled() bool { return os.Getenv(EnvVar) == "1" }

// installed returns the folder of a server that the install script has put on this machine.
func installed(tb testing.TB, server string) string {
	tb.Helper()
	if !Enabled() {
		tb.Fatalf("real servers run only with %s=1", EnvVar)
	}
	dir, err := where(tb.Context(), sourceDir(), server, nil)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		tb.Fatalf("%s is not installed, run test/servers/install: %v", server, err)
	}
	return dir
}

// where asks the install script in the folder scripts for the folder of a server, so that only the
// script knows how it is named. The variables of env are set in addition to those of this process.
func where(ctx context.Context, scripts, server string, env []string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(scripts, "install"), "--where", server)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("install --where %s: %w: %s", server, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// sourceDir returns the folder of this package's sources, whichever package runs the test.
func sourceDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// freePort returns a loopback port that nothing listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// onFreePort calls start with a free port, and with another one when a program on the same machine
// took it before the server did.
func onFreePort(start func(port int) error) error {
	const tries = 3
	for try := 1; ; try++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		err = start(port)
		if !errors.Is(err, errPortTaken) || try == tries {
			return err
		}
	}
}
