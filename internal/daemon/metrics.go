package daemon

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/postrider/postrider/internal/plan"
)

// metrics are what the daemon has counted, written in Prometheus's text format
// (https://prometheus.io/docs/instrumenting/exposition_formats/, 2026-11-22). Its own library would make every start of every
// verb slower by 1.5 ms, a third of what the start takes; tests read what is written with its parser.
//
// Labels are names from the sites file and site.yaml, states and outcomes: never a post's id.
type metrics struct {
	families []*family

	deliveries, waiting, held, nextDue                 *family
	lag, fetchTime                                     *histogram
	fetchFailures, failures, lastRun, lastGood, hooked *family
}

// family is a metric with all its series.
type family struct {
	name, help, kind string
	labels           []string

	mu     sync.Mutex
	series map[string]float64 // by the values of the labels, joined by NUL
}

// histogram counts durations in seconds, by what they are at most.
type histogram struct {
	*family
	bounds []float64
	counts []uint64 // of each bound, and of what is above all
	sum    float64
}

func newMetrics(version string) *metrics {
	m := &metrics{}
	add := func(kind, name, help string, labels ...string) *family {
		f := &family{name: "postrider_" + name, help: help, kind: kind, labels: labels, series: map[string]float64{}}
		m.families = append(m.families, f)
		return f
	}
	add("gauge", "build_info", "The program that runs; always 1.", "version").set(1, version)
	m.deliveries = add("counter", "deliveries_total", "Deliveries that ended, by outcome.", "site", "account", "result")
	m.waiting = add("gauge", "waiting", "Deliveries that wait, by the state that plan shows.", "site", "state")
	m.held = add("gauge", "held", "1 while an emergency stop is in force for anything of the site.", "site")
	m.nextDue = add("gauge", "next_due_timestamp_seconds", "When the site's plan changes by itself next; 0 when it does not.", "site")
	m.lag = &histogram{add("histogram", "due_lag_seconds", "How long after its second a delivery began that was known to come."), []float64{0.05, 0.1, 0.25, 0.5, 1, 2, 5, 15, 60, 300, 1800}, nil, 0}
	m.fetchTime = &histogram{add("histogram", "fetch_seconds", "How long fetching and opening a site took."), []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60}, nil, 0}
	m.fetchFailures = add("counter", "fetch_failures_total", "Sites that could not be fetched or opened.", "site")
	m.failures = add("counter", "failures_total", "Visits of a site that failed, whatever the reason.", "site")
	m.lastRun = add("gauge", "last_run_timestamp_seconds", "When a run of the site last ended.", "site")
	m.lastGood = add("gauge", "last_success_timestamp_seconds", "When a visit of the site last ended well.", "site")
	m.hooked = add("counter", "webhooks_total", "Webhooks that arrived, by what became of them.", "result")
	for _, h := range []*histogram{m.lag, m.fetchTime} {
		h.counts = make([]uint64, len(h.bounds)+1)
	}
	return m
}

func (m *metrics) delivered(site, account, outcome string) {
	m.deliveries.add(1, site, account, outcome)
}
func (m *metrics) ran(site string, at time.Time)       { m.lastRun.set(seconds(at), site) }
func (m *metrics) succeeded(site string, at time.Time) { m.lastGood.set(seconds(at), site) }
func (m *metrics) failed(site string)                  { m.failures.add(1, site) }
func (m *metrics) webhook(result string)               { m.hooked.add(1, result) }

// fetched notes how a fetch went.
func (m *metrics) fetched(site string, took time.Duration, ok bool) {
	m.fetchTime.observe(took.Seconds())
	failed := 0.0
	if !ok {
		failed = 1
	}
	m.fetchFailures.add(failed, site)
}

// waits notes what a site's plan says after a run.
func (m *metrics) waits(site string, waiting []plan.Waiting, next time.Time, held bool) {
	states := map[string]float64{}
	for i := range waiting {
		states[string(waiting[i].State)]++
	}
	m.waiting.replace(site, states)
	m.nextDue.set(seconds(next), site)
	on := 0.0
	if held {
		on = 1
	}
	m.held.set(on, site)
}

// forget drops all series of a site.
func (m *metrics) forget(site string) {
	for _, f := range m.families {
		if len(f.labels) > 0 && f.labels[0] == "site" {
			f.replace(site, nil)
		}
	}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func (f *family) add(n float64, values ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.series[strings.Join(values, "\x00")] += n
}

func (f *family) set(v float64, values ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.series[strings.Join(values, "\x00")] = v
}

// replace makes series, by the value of the second label, all that there are of the first label's value.
func (f *family) replace(first string, series map[string]float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key := range f.series {
		if head, _, _ := strings.Cut(key, "\x00"); head == first {
			delete(f.series, key)
		}
	}
	for second, v := range series {
		f.series[first+"\x00"+second] = v
	}
}

func (h *histogram) observe(v float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, _ := slices.BinarySearch(h.bounds, v)
	h.counts[at]++
	h.sum += v
}

// text returns all metrics, sorted, so that two answers can be compared.
func (m *metrics) text() []byte {
	var b []byte
	for _, f := range m.families {
		b = fmt.Appendf(b, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
		switch f {
		case m.lag.family:
			b = m.lag.append(b)
		case m.fetchTime.family:
			b = m.fetchTime.append(b)
		default:
			b = f.append(b)
		}
	}
	return b
}

// labelValue escapes what a value in quotes must not hold.
var labelValue = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func (f *family) append(b []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(f.series)) {
		sep := '{'
		b = append(b, f.name...)
		for i, value := range strings.Split(key, "\x00") {
			b = fmt.Appendf(b, `%c%s="%s"`, sep, f.labels[i], labelValue.Replace(strings.ToValidUTF8(value, "\ufffd")))
			sep = ','
		}
		b = fmt.Appendf(b, "} %s\n", number(f.series[key]))
	}
	return b
}

func (h *histogram) append(b []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	var total uint64
	for i, n := range h.counts {
		bound := "+Inf"
		if i < len(h.bounds) {
			bound = number(h.bounds[i])
		}
		total += n
		b = fmt.Appendf(b, "%s_bucket{le=\"%s\"} %d\n", h.name, bound, total)
	}
	return fmt.Appendf(b, "%s_sum %s\n%s_count %d\n", h.name, number(h.sum), h.name, total)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
