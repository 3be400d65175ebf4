package graph

import (
	"encoding/json"
	"math"
	"net/http"
	"time"
)

// Write answers a request with the error, as the network does: for the fake servers of adapters. Faults of the network are 500,
// missing permissions 403, and all else is 400.
func (e Error) Write(w http.ResponseWriter) {
	status := http.StatusBadRequest
	switch {
	case e.Code == 1 || e.Code == 2:
		status = http.StatusInternalServerError
	case e.Code == 10 || e.Code >= 200 && e.Code <= 299:
		status = http.StatusForbidden
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(envelope{Error: &e}) //nolint:errcheck // the client may be gone
}

// TellUsage writes into the header of an answer how much of a limit is used, in per cent, and, where that is all, how long it takes until
// more is allowed; kind is "pages" or "instagram". For the fake servers of adapters.
func TellUsage(h http.Header, id, kind string, percent int, wait time.Duration) {
	type entry struct {
		Type   string `json:"type"`
		Calls  int    `json:"call_count"`
		CPU    int    `json:"total_cputime"`
		Time   int    `json:"total_time"`
		Regain int    `json:"estimated_time_to_regain_access"`
	}
	value, err := json.Marshal(map[string][]entry{id: {{
		Type: kind, Calls: percent, CPU: 1, Time: 1, Regain: int(math.Ceil(wait.Minutes())),
	}}})
	if err != nil {
		panic("graph: numbers and words always marshal: " + err.Error())
	}
	h.Set("X-Business-Use-Case-Usage", string(value))
}
