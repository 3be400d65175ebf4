//go:build unix

package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine says how one that publishes differs from the usual one.
type machine struct {
	daemon    bool          // it stays, and publishes whenever there is something to do
	skew      time.Duration // by how much its clock is wrong
	patient   bool          // it waits for answers as long as programs usually do
	anonymous bool          // it is another machine: nobody can prove that its processes are dead
	full      bool          // its disk has room for files of so many blocks of 512 bytes, no larger ones
	blocks    int
	user      int      // who it runs as; 0: as the harness
	start     *barrier // to start together with others
}

// publisher is one `postrider publish`, or one daemon: a process of its own.
type publisher struct {
	w        *world
	name     string
	cmd      *exec.Cmd
	out, err *os.File
	stdout   string // what it has written; valid once it is gone
	stderr   string
	sleep    *os.File      // while it is locked, the process waits as soon as it asks for the time
	tether   *os.File      // at its end when the process and everything that it has started is gone
	ended    chan struct{} // closed when the process has ended
	killed   bool          // by the harness
	told     bool          // to end, by the harness
}

// result is how a run ended.
type result struct {
	code   int // -1 when it was killed
	report report
	stderr string
}

// report is what `publish --json` prints, as docs/JSON.md has it.
type report struct {
	Run        string     `json:"run"`
	Deliveries []delivery `json:"deliveries"`
	Waiting    []waiting  `json:"waiting"`
}

type delivery struct {
	Post    string `json:"post"`
	Account string `json:"account"`
	Action  string `json:"action"`
	Outcome string `json:"outcome"`
	Error   string `json:"error"`
}

type waiting struct {
	Post    string    `json:"post"`
	Account string    `json:"account"`
	State   string    `json:"state"`
	Reason  string    `json:"reason"`
	Until   time.Time `json:"until"`
}

func (d delivery) ok() bool {
	switch d.Outcome {
	case "published", "updated", "withdrawn", "skipped":
		return true
	}
	return false
}

// fillDisk leaves a process no room to write to; nil where that cannot be done from outside.
var fillDisk func(pid int) error

// barrier lets processes begin at one moment: each is a shell that waits to become the program.
type barrier struct{ r, w *os.File }

func newBarrier() *barrier {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	return &barrier{r, w}
}

// open lets all begin.
func (b *barrier) open() {
	b.w.Close()
	b.r.Close()
}

// start starts a publisher in a clone.
func (w *world) start(dir string, m machine) *publisher {
	w.t.Helper()
	w.mu.Lock()
	w.started++
	name := fmt.Sprintf("%s %d in %s", map[bool]string{false: "run", true: "daemon"}[m.daemon], w.started, filepath.Base(dir))
	number := w.started
	w.mu.Unlock()
	p := &publisher{w: w, name: name, ended: make(chan struct{})}
	p.cmd = w.command(dir, m)
	var err error
	var hold *os.File
	if p.out, err = os.Create(filepath.Join(w.dir, fmt.Sprintf("out-%d", number))); err == nil {
		if p.err, err = os.Create(filepath.Join(w.dir, fmt.Sprintf("err-%d", number))); err == nil {
			if p.sleep, err = os.Create(filepath.Join(w.dir, fmt.Sprintf("sleep-%d", number))); err == nil {
				p.tether, hold, err = os.Pipe()
			}
		}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	p.cmd.Env = append(p.cmd.Env, "POSTRIDER_CHAOS_SLEEP="+p.sleep.Name())
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.err
	p.cmd.ExtraFiles = []*os.File{hold} // which everything that it starts inherits
	if m.start != nil {
		p.cmd.ExtraFiles = append(p.cmd.ExtraFiles, m.start.r)
	}
	if m.full { // its own output goes through a pipe, which has no size
		p.cmd.Stdout, p.cmd.Stderr = io.MultiWriter(p.out), io.MultiWriter(p.err)
	}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	hold.Close()
	go func() {
		p.cmd.Wait() //nolint:errcheck // how it ended is read from its state
		close(p.ended)
	}()
	w.mu.Lock()
	w.publishers = append(w.publishers, p)
	w.mu.Unlock()
	return p
}

// command returns the command line of a publisher on a machine.
func (w *world) command(dir string, m machine) *exec.Cmd {
	args := []string{"publish", "--json", "--verbose"}
	if m.daemon {
		args = []string{"daemon", "--listen", "none", "--fetch", "5s", "--verbose"}
	}
	if !m.patient {
		args = append(args, "--request-timeout", requestTimeout.String())
	}
	// A shell makes ready what a program cannot be started with, and becomes the program then.
	before := ""
	if m.start != nil {
		before += "read x <&4; exec 4<&-; "
	}
	if m.full { // writing more fails, as on a full disk
		before += fmt.Sprintf("trap '' XFSZ; ulimit -f %d; ", m.blocks)
	}
	cmd := exec.Command(binary, args...) //nolint:noctx // the harness watches and kills it
	if before != "" {
		cmd = exec.Command("/bin/sh", append([]string{"-c", before + `exec "$0" "$@"`, binary}, args...)...) //nolint:noctx // as above
	}
	cmd.Dir, cmd.Env = dir, w.environ()
	if m.skew != 0 {
		cmd.Env = append(cmd.Env, "POSTRIDER_CHAOS_SKEW="+m.skew.String())
	}
	if m.anonymous {
		cmd.Env = append(cmd.Env, "POSTRIDER_CHAOS_ANONYMOUS=1")
	}
	if m.user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(m.user), Gid: uint32(m.user)}} //nolint:gosec // a user's number
	}
	return cmd
}

// publish runs a publisher to its end.
func (w *world) publish(dir string, m machine) result {
	w.t.Helper()
	return w.start(dir, m).wait()
}

// kill ends the process as kill -9 or a power cut does.
func (p *publisher) kill() {
	p.killed = true
	p.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-p.ended
}

// terminate asks it to end, as a system that shuts down does.
func (p *publisher) terminate() {
	p.told = true
	p.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
}

// insist asks again and again, as somebody does who does not want to wait. Two signals at the same moment are one, and
// how many arrive nobody can say.
func (p *publisher) insist() {
	p.w.t.Helper()
	for range 100 {
		p.terminate()
		select {
		case <-p.ended:
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
	p.w.t.Errorf("%s does not end although it is asked again and again", p.name)
}

// pause stops the process where it is, as a machine that is suspended does, and returns when it stands still. The one
// place where it does not stop is between a look at the clock and what follows from it at once: a machine that falls
// asleep there is what docs/RELIABILITY.md names as the moment that nobody can close.
func (p *publisher) pause() {
	p.w.t.Helper()
	pid := p.cmd.Process.Pid
	if err := syscall.Flock(int(p.sleep.Fd()), syscall.LOCK_EX); err != nil {
		p.w.t.Fatal(err)
	}
	for calm := 0; calm < 2; time.Sleep(time.Millisecond) {
		if calm++; busy(pid) {
			calm = 0
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return // it has ended
	}
	p.w.until(p.name+" stands still", func() bool {
		state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output() //nolint:noctx // ps ends by itself
		return err != nil || strings.HasPrefix(string(state), "T") || strings.HasPrefix(string(state), "Z")
	})
}

// resume lets it go on.
func (p *publisher) resume() {
	syscall.Flock(int(p.sleep.Fd()), syscall.LOCK_UN) //nolint:errcheck // it may have ended
	p.cmd.Process.Signal(syscall.SIGCONT)             //nolint:errcheck // as above
}

// busy reports whether any thread of a process does something or is about to, as far as the system tells.
func busy(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // none where there is no such file system
	for _, file := range threads {
		stat, err := os.ReadFile(file)
		if _, after, ok := strings.Cut(string(stat), ") "); err == nil && ok && (after[0] == 'R' || after[0] == 'D') {
			return true
		}
	}
	return false
}

// gone waits until nothing is left of the process and what it has started, which on the remote goes on
// without it.
func (p *publisher) gone() {
	p.w.t.Helper()
	if p.tether == nil {
		return
	}
	p.tether.SetReadDeadline(time.Now().Add(patience)) //nolint:errcheck // pipes have deadlines
	_, err := p.tether.Read(make([]byte, 1))
	if !errors.Is(err, io.EOF) {
		p.w.t.Errorf("%s: something that it has started lives on: %v", p.name, err)
	}
	p.tether.Close()
	p.sleep.Close()
	p.tether = nil
	p.stdout, p.stderr = p.read(p.out), p.read(p.err)
	for _, secret := range p.w.secrets {
		if strings.Contains(p.stdout, secret) || strings.Contains(p.stderr, secret) {
			p.w.t.Errorf("%s printed a secret", p.name)
		}
	}
	if strings.Contains(p.stderr, "panic:") || strings.Contains(p.stderr, "goroutine ") {
		p.w.t.Errorf("%s crashed:\n%s", p.name, p.stderr)
	}
}

// read returns what a process has written to a file, and closes that.
func (p *publisher) read(f *os.File) string {
	b, err := os.ReadFile(f.Name())
	if err != nil {
		p.w.t.Error(err)
	}
	f.Close()
	return string(b)
}

// wait waits for the end of the run and holds it against what is documented of exit codes and output.
func (p *publisher) wait() result {
	t := p.w.t
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
		p.cmd.Process.Signal(syscall.SIGQUIT) //nolint:errcheck // so that it says where it is
		<-p.ended
		t.Errorf("%s does not end:\n%s", p.name, tail(p.err.Name()))
	}
	p.gone()
	r := result{code: p.cmd.ProcessState.ExitCode(), stderr: p.stderr}
	if r.code < 0 && !p.killed && !p.told {
		t.Errorf("%s ended by a signal: %v", p.name, p.cmd.ProcessState)
	}
	whole := json.Unmarshal([]byte(p.stdout), &r.report) == nil
	failed := 0
	for _, d := range r.report.Deliveries {
		if !d.ok() {
			failed++
		}
		if !d.ok() && d.Error == "" {
			t.Errorf("%s: %s@%s is %s, and nothing says why", p.name, d.Post, d.Account, d.Outcome)
		}
	}
	if need := r.needsPerson(); whole && r.report.Run != "" && (r.code == 0 && need > 0 || r.code == 1 && need == 0 && failed == 0) {
		t.Errorf("%s ended with %d, and %d deliveries wait for a person: %s", p.name, r.code, need, show(r.report))
	}
	switch {
	case r.code == 0 && (!whole || failed > 0), r.code == 1 && !whole:
		t.Errorf("%s ended with %d and said:\n%s\n%s", p.name, r.code, p.stdout, r.stderr)
	case r.code >= 2 && !strings.Contains(r.stderr, "postrider: "):
		t.Errorf("%s ended with %d and did not say why:\n%s", p.name, r.code, r.stderr)
	case r.code > 3 || r.code == 2:
		t.Errorf("%s ended with %d:\n%s", p.name, r.code, r.stderr)
	}
	p.w.note("%s: %s", p.name, r.brief())
	return r
}

// needsPerson counts what waits and moves only when a person acts, as docs/PUBLISHING.md defines it.
func (r result) needsPerson() (n int) {
	for _, w := range r.report.Waiting {
		switch w.State {
		case "unknown", "denied", "rejected":
			if w.Until.IsZero() {
				n++
			}
		case "blocked", "first_run", "cannot_withdraw", "orphan":
			n++
		}
	}
	return n
}

// brief tells a run in one line.
func (r result) brief() string {
	count := map[string]int{}
	var order []string
	add := func(s string) {
		if count[s]++; count[s] == 1 {
			order = append(order, s)
		}
	}
	for _, d := range r.report.Deliveries {
		add(d.Outcome)
	}
	for _, w := range r.report.Waiting {
		add("waits: " + w.State)
	}
	text := fmt.Sprintf("exit %d", r.code)
	for _, s := range order {
		text += fmt.Sprintf(", %d %s", count[s], s)
	}
	if r.code > 1 {
		_, last, _ := strings.Cut(r.stderr, "postrider: ")
		last, _, _ = strings.Cut(last, "\n")
		text += ": " + last
	}
	return text
}

// tail returns the end of a file.
func tail(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-8000):])
}
