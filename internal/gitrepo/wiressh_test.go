package gitrepo

import (
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// serveSSH starts an SSH server that runs what it is asked to, and an agent with the only key it
// accepts. It returns its address and the variables that name the agent and the known host.
func (w *world) serveSSH() (address string, env []string) {
	w.t.Helper()
	listen := func(network, address string) net.Listener {
		l, err := net.Listen(network, address)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { l.Close() })
		return l
	}
	newKey := func() (ed25519.PrivateKey, ssh.Signer) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		s, err := ssh.NewSignerFromKey(key)
		if err != nil {
			w.t.Fatal(err)
		}
		return key, s
	}
	userKey, user := newKey()
	_, host := newKey()

	// The socket's path must be short: it is limited to about 100 bytes.
	sockDir, err := os.MkdirTemp("", "agent")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { os.RemoveAll(sockDir) })
	sock := listen("unix", sockDir+"/s")
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: userKey}); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		for {
			c, err := sock.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, c) //nolint:errcheck // it ends with the connection
		}
	}()

	cfg := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(user.PublicKey().Marshal()) {
			return nil, errors.New("unknown key")
		}
		return nil, nil
	}}
	cfg.AddHostKey(host)
	srv := listen("tcp", "127.0.0.1:0")
	go func() {
		for {
			c, err := srv.Accept()
			if err != nil {
				return
			}
			go w.serveSSHConn(c, cfg)
		}
	}()
	w.write("known_hosts", knownhosts.Line([]string{srv.Addr().String()}, host.PublicKey())+"\n")
	return srv.Addr().String(), []string{"SSH_AUTH_SOCK=" + sock.Addr().String(), "SSH_KNOWN_HOSTS=" + w.path("known_hosts")}
}

func (w *world) serveSSHConn(c net.Conn, cfg *ssh.ServerConfig) {
	defer c.Close()
	_, channels, requests, err := ssh.NewServerConn(c, cfg)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for nc := range channels {
		ch, reqs, err := nc.Accept()
		if err != nil {
			return
		}
		go func() {
			defer ch.Close()
			for req := range reqs {
				if req.Type != "exec" {
					req.Reply(false, nil) //nolint:errcheck
					continue
				}
				req.Reply(true, nil) //nolint:errcheck
				var run struct{ Command string }
				if ssh.Unmarshal(req.Payload, &run) != nil {
					return
				}
				cmd := exec.Command("sh", "-c", run.Command)
				cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.env, ch, ch, ch.Stderr()
				status := struct{ Code uint32 }{}
				if err := cmd.Run(); err != nil {
					status.Code = 1
				}
				ch.SendRequest("exit-status", false, ssh.Marshal(status)) //nolint:errcheck
				return
			}
		}()
	}
}

// TestSSHWithoutGit pushes and fetches with nothing but an agent and a file of known hosts.
func TestSSHWithoutGit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.origin()
	address, env := w.serveSSH()
	w.fresh("ssh://git@" + address + w.path("origin.git"))
	open := func(env []string) *Repo {
		r, err := Open(w.path("repo"), Options{Git: NoGit, Env: (&world{env: env}).getenv})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open(env)
	tip := ledger(t, r)
	if err := r.Push(t.Context(), "origin", "ledger", Zero, tip); err != nil {
		t.Fatal(err)
	}
	heads, err := r.Fetch(t.Context(), "origin", "main", "ledger")
	if err != nil || heads["refs/heads/ledger"] != tip {
		t.Fatalf("Fetch = %v, %v", heads, err)
	}
	for _, dir := range []string{"repo", "origin.git"} {
		if out, err := w.tryGit(dir, "fsck", "--strict"); err != nil {
			t.Errorf("fsck of %s: %v\n%s", dir, err, out)
		}
	}

	if err := r.Push(t.Context(), "origin", "ledger", Zero, tip); err != nil {
		t.Errorf("the same push again: %v", err)
	}
	w.write("unknown_hosts", "example.org ssh-ed25519 "+strings.Repeat("A", 68)+"\n")
	_, err = open([]string{env[0], "SSH_KNOWN_HOSTS=" + w.path("unknown_hosts")}).Fetch(t.Context(), "origin", "main")
	if !errors.Is(err, ErrAuth) && !errors.Is(err, ErrUnreachable) {
		t.Errorf("unknown host: %v", err)
	}
	_, err = open([]string{"SSH_AUTH_SOCK=" + w.path("gone"), env[1]}).Fetch(t.Context(), "origin", "main")
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), "agent") {
		t.Errorf("no agent: %v", err)
	}
}
