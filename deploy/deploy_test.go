// Package deploy_test holds what lies here for those who run Postrider to the forms that it must have.
package deploy_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// The fields of Kubernetes' objects that are used here, with their types
// (https://kubernetes.io/docs/reference/kubernetes-api/, 2026-11-22). A field that is not here is an error.
type (
	object struct {
		APIVersion string            `yaml:"apiVersion"`
		Kind       string            `yaml:"kind"`
		Metadata   meta              `yaml:"metadata"`
		Data       map[string]string `yaml:"data"`
		Spec       yaml.Node         `yaml:"spec"`
	}
	meta struct {
		Name   string            `yaml:"name"`
		Labels map[string]string `yaml:"labels"`
	}
	quantities struct {
		CPU     string `yaml:"cpu"`
		Memory  string `yaml:"memory"`
		Storage string `yaml:"storage"`
	}
	resources struct {
		Requests quantities `yaml:"requests"`
		Limits   quantities `yaml:"limits"`
	}
	claim struct {
		AccessModes []string  `yaml:"accessModes"`
		Resources   resources `yaml:"resources"`
	}
	cronJob struct {
		Schedule      string `yaml:"schedule"`
		Concurrency   string `yaml:"concurrencyPolicy"`
		StartDeadline int    `yaml:"startingDeadlineSeconds"`
		KeepGood      int    `yaml:"successfulJobsHistoryLimit"`
		KeepFailed    int    `yaml:"failedJobsHistoryLimit"`
		JobTemplate   struct {
			Spec struct {
				BackoffLimit *int     `yaml:"backoffLimit"`
				Deadline     int      `yaml:"activeDeadlineSeconds"`
				Template     template `yaml:"template"`
			} `yaml:"spec"`
		} `yaml:"jobTemplate"`
	}
	deployment struct {
		Replicas int `yaml:"replicas"`
		Strategy struct {
			Type string `yaml:"type"`
		} `yaml:"strategy"`
		Selector struct {
			MatchLabels map[string]string `yaml:"matchLabels"`
		} `yaml:"selector"`
		Template template `yaml:"template"`
	}
	service struct {
		Selector     map[string]string `yaml:"selector"`
		PublishAlone bool              `yaml:"publishNotReadyAddresses"`
		Ports        []struct {
			Name       string `yaml:"name"`
			Port       int    `yaml:"port"`
			TargetPort string `yaml:"targetPort"`
		} `yaml:"ports"`
	}
	template struct {
		Metadata meta `yaml:"metadata"`
		Spec     pod  `yaml:"spec"`
	}
	pod struct {
		RestartPolicy  string      `yaml:"restartPolicy"`
		GracePeriod    int         `yaml:"terminationGracePeriodSeconds"`
		MountToken     *bool       `yaml:"automountServiceAccountToken"`
		ServiceLinks   *bool       `yaml:"enableServiceLinks"`
		Security       podSecurity `yaml:"securityContext"`
		InitContainers []container `yaml:"initContainers"`
		Containers     []container `yaml:"containers"`
		Volumes        []struct {
			Name      string `yaml:"name"`
			ConfigMap struct {
				Name string `yaml:"name"`
			} `yaml:"configMap"`
			Claim struct {
				ClaimName string `yaml:"claimName"`
			} `yaml:"persistentVolumeClaim"`
			EmptyDir *struct{} `yaml:"emptyDir"`
		} `yaml:"volumes"`
	}
	podSecurity struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
		RunAsUser    int  `yaml:"runAsUser"`
		RunAsGroup   int  `yaml:"runAsGroup"`
		FSGroup      int  `yaml:"fsGroup"`
		Seccomp      struct {
			Type string `yaml:"type"`
		} `yaml:"seccompProfile"`
	}
	container struct {
		Name    string   `yaml:"name"`
		Image   string   `yaml:"image"`
		Command []string `yaml:"command"`
		Args    []string `yaml:"args"`
		Env     []struct {
			Name      string `yaml:"name"`
			Value     string `yaml:"value"`
			ValueFrom struct {
				SecretKeyRef struct {
					Name string `yaml:"name"`
					Key  string `yaml:"key"`
				} `yaml:"secretKeyRef"`
			} `yaml:"valueFrom"`
		} `yaml:"env"`
		EnvFrom []struct {
			SecretRef struct {
				Name string `yaml:"name"`
			} `yaml:"secretRef"`
		} `yaml:"envFrom"`
		Ports []struct {
			Name          string `yaml:"name"`
			ContainerPort int    `yaml:"containerPort"`
		} `yaml:"ports"`
		Liveness  probe `yaml:"livenessProbe"`
		Readiness probe `yaml:"readinessProbe"`
		Security  struct {
			Escalation   *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRoot bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities struct {
				Drop []string `yaml:"drop"`
			} `yaml:"capabilities"`
		} `yaml:"securityContext"`
		Resources resources `yaml:"resources"`
		Mounts    []struct {
			Name      string `yaml:"name"`
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct {
			Path string `yaml:"path"`
			Port string `yaml:"port"`
		} `yaml:"httpGet"`
		Period int `yaml:"periodSeconds"`
	}
)

// objects decodes the documents of a file, each into the type of its kind.
func objects(t *testing.T, file string) map[string]any {
	t.Helper()
	found := map[string]any{}
	d := yaml.NewDecoder(strings.NewReader(read(t, file)))
	d.KnownFields(true)
	for {
		var o object
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		var spec any
		switch o.APIVersion + " " + o.Kind {
		case "v1 PersistentVolumeClaim":
			spec = new(claim)
		case "v1 Service":
			spec = new(service)
		case "batch/v1 CronJob":
			spec = new(cronJob)
		case "apps/v1 Deployment":
			spec = new(deployment)
		case "v1 ConfigMap":
			found[o.Kind+" "+o.Metadata.Name] = o.Data
			continue
		default:
			t.Fatalf("%s: unknown %s of %s", file, o.Kind, o.APIVersion)
		}
		b, err := yaml.Marshal(&o.Spec)
		if err != nil {
			t.Fatal(err)
		}
		strict := yaml.NewDecoder(bytes.NewReader(b))
		strict.KnownFields(true)
		if err := strict.Decode(spec); err != nil {
			t.Fatalf("%s: %s: %v", file, o.Kind, err)
		}
		found[o.Kind+" "+o.Metadata.Name] = spec
	}
}

func TestKubernetes(t *testing.T) {
	cron := objects(t, "kubernetes/cronjob.yaml")
	job, ok := cron["CronJob postrider"].(*cronJob)
	if !ok {
		t.Fatal("there is no CronJob")
	}
	if job.Concurrency != "Forbid" || !regexp.MustCompile(`^[1-9]-59/\d+ \* \* \* \*$`).MatchString(job.Schedule) || job.StartDeadline <= 0 {
		t.Errorf("%+v", job)
	}
	run := job.JobTemplate.Spec
	if run.BackoffLimit == nil || *run.BackoffLimit != 0 || run.Deadline <= 0 || run.Template.Spec.RestartPolicy != "Never" {
		t.Errorf("%+v: a run is not tried again by anybody but the next", run)
	}
	checkPod(t, cron, &run.Template.Spec)

	all := objects(t, "kubernetes/daemon.yaml")
	d, ok := all["Deployment postrider-daemon"].(*deployment)
	if !ok {
		t.Fatal("there is no Deployment")
	}
	s, ok := all["Service postrider-daemon"].(*service)
	if !ok {
		t.Fatal("there is no Service")
	}
	labels := d.Template.Metadata.Labels
	if d.Replicas != 1 || d.Strategy.Type != "Recreate" || labels["app"] == "" || labels["app"] != d.Selector.MatchLabels["app"] || labels["app"] != s.Selector["app"] {
		t.Errorf("%+v, %+v", d, s)
	}
	c := d.Template.Spec.Containers[0]
	if c.Liveness.HTTPGet.Path != "/healthz" || c.Readiness.HTTPGet.Path != "/readyz" || c.Ports[0].Name != s.Ports[0].TargetPort || c.Liveness.HTTPGet.Port != c.Ports[0].Name {
		t.Errorf("%+v, %+v", c, s)
	}
	checkPod(t, all, &d.Template.Spec)
}

// checkPod holds a pod to what a cluster with the strictest of Kubernetes' own standards takes ("restricted"), to having volumes that are there, and to
// secrets that come from nowhere but a Secret.
func checkPod(t *testing.T, all map[string]any, p *pod) {
	t.Helper()
	s := p.Security
	if !s.RunAsNonRoot || s.RunAsUser == 0 || s.RunAsUser != s.FSGroup || s.Seccomp.Type != "RuntimeDefault" || p.MountToken == nil || *p.MountToken || p.GracePeriod < 60 {
		t.Errorf("%+v", p)
	}
	volumes := map[string]bool{}
	for _, v := range p.Volumes {
		volumes[v.Name] = true
		claimed, mapped := v.Claim.ClaimName, v.ConfigMap.Name
		if claimed != "" && all["PersistentVolumeClaim "+claimed] == nil || mapped != "" && all["ConfigMap "+mapped] == nil || claimed == "" && mapped == "" && v.EmptyDir == nil {
			t.Errorf("volume %s is not there", v.Name)
		}
	}
	quantity := regexp.MustCompile(`^\d+(m|Mi|Gi)$`)
	for _, c := range slices.Concat(p.InitContainers, p.Containers) {
		if c.Security.Escalation == nil || *c.Security.Escalation || !c.Security.ReadOnlyRoot || !slices.Equal(c.Security.Capabilities.Drop, []string{"ALL"}) {
			t.Errorf("%s: %+v", c.Name, c.Security)
		}
		for _, q := range []string{c.Resources.Requests.CPU, c.Resources.Requests.Memory, c.Resources.Limits.Memory} {
			if !quantity.MatchString(q) {
				t.Errorf("%s: %q is no quantity", c.Name, q)
			}
		}
		writable := 0
		for _, m := range c.Mounts {
			if !volumes[m.Name] {
				t.Errorf("%s: there is no volume %s", c.Name, m.Name)
			}
			if m.MountPath == "/tmp" || m.MountPath == "/var/lib/postrider" {
				writable++
			}
		}
		if writable != 2 {
			t.Errorf("%s: mounts %+v, want /tmp and /var/lib/postrider", c.Name, c.Mounts)
		}
		for _, e := range c.Env {
			if looksSecret.MatchString(e.Name) && (e.Value != "" || e.ValueFrom.SecretKeyRef.Name == "") {
				t.Errorf("%s: %s does not come from a Secret", c.Name, e.Name)
			}
		}
	}
}

var looksSecret = regexp.MustCompile(`TOKEN|SECRET|PASSWORD|KEY`)

// TestUnits holds systemd's units to the sections and settings of systemd.unit(5), .service(5), .timer(5) and .exec(5) that are used, so that
// a slip of the pen is found where there is no systemd. `systemd-analyze verify` says more.
func TestUnits(t *testing.T) {
	known := map[string]string{
		"Unit": "Description Documentation Wants After",
		"Service": "Type User StateDirectory StateDirectoryMode WorkingDirectory EnvironmentFile ExecStart ExecReload Restart RestartSec TimeoutStartSec TimeoutStopSec KillMode " +
			"NoNewPrivileges CapabilityBoundingSet AmbientCapabilities ProtectSystem ProtectHome PrivateTmp PrivateDevices ProtectClock ProtectHostname ProtectKernelLogs " +
			"ProtectKernelModules ProtectKernelTunables ProtectControlGroups RestrictAddressFamilies RestrictNamespaces RestrictRealtime RestrictSUIDSGID LockPersonality " +
			"MemoryDenyWriteExecute SystemCallArchitectures SystemCallFilter UMask",
		"Timer":   "OnCalendar AccuracySec Persistent",
		"Install": "WantedBy",
	}
	files, err := filepath.Glob("systemd/*")
	if err != nil || len(files) != 3 {
		t.Fatalf("%q, %v: want two services and a timer", files, err)
	}
	for _, file := range files {
		section, set := "", map[string]string{}
		for line := range strings.Lines(read(t, file)) {
			line = strings.TrimSpace(line)
			switch key, value, ok := strings.Cut(line, "="); {
			case line == "" || line[0] == '#':
			case line[0] == '[':
				section = strings.Trim(line, "[]")
			case !ok || !slices.Contains(strings.Fields(known[section]), key):
				t.Errorf("%s: [%s] %s", file, section, line)
			default:
				set[key] = value
			}
		}
		if !strings.HasSuffix(file, ".service") {
			continue
		}
		for key, want := range map[string]string{"User": "postrider", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "CapabilityBoundingSet": "", "KillMode": "mixed"} {
			if got, ok := set[key]; !ok || got != want {
				t.Errorf("%s: %s=%s, want %q", file, key, got, want)
			}
		}
		if !strings.HasPrefix(set["ExecStart"], "/usr/local/bin/postrider ") {
			t.Errorf("%s: %s", file, set["ExecStart"])
		}
		if _, hidden := set["ProtectProc"]; hidden {
			t.Errorf("%s: a run must see in /proc whether another lives", file)
		}
	}
}

// TestContainerfile wants what is built by default to be a static program that root does not run.
func TestContainerfile(t *testing.T) {
	text := read(t, "../Containerfile")
	stages := strings.Split(text, "\nFROM ")
	last := stages[len(stages)-1]
	for _, want := range []string{"${BASE}", "COPY --from=build /out/postrider /usr/local/bin/postrider", "USER 65532:65532", `ENTRYPOINT ["/usr/local/bin/postrider"]`} {
		if !strings.Contains(last, want) {
			t.Errorf("the last stage has no %q", want)
		}
	}
	if !strings.Contains(text, "ENV CGO_ENABLED=0") || !strings.Contains(text, "./cmd/postrider") || strings.Contains(text, ":latest") {
		t.Error(text)
	}
	module := read(t, "../go.mod")
	version := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(module)
	if version == nil || !strings.Contains(text, "golang:"+version[1]+"-") {
		t.Errorf("the program is not built with the Go of go.mod, %q", version)
	}
}

// TestCron wants the line of a crontab with a user's name, off the round minutes.
func TestCron(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(read(t, "cron/postrider")), "\n")
	line := lines[len(lines)-1]
	if !regexp.MustCompile(`^[1-9]-59/\d+ \* \* \* \*  postrider  cd /\S+ && .*flock --nonblock .* postrider publish$`).MatchString(line) {
		t.Errorf("%s", line)
	}
	if strings.Contains(line, "%") {
		t.Error("cron takes a percent sign for the end of a line")
	}
}

// TestDocumented wants everything that lies here in docs/DEPLOY.md.
func TestDocumented(t *testing.T) {
	page := read(t, "../docs/DEPLOY.md")
	err := filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Ext(name) != ".go" && !strings.Contains(page, "(../deploy/"+filepath.ToSlash(name)+")") {
			t.Errorf("docs/DEPLOY.md does not lead to deploy/%s", name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
