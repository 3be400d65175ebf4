package finding

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Tool is what a SARIF log says of the program that found something.
type Tool struct {
	Version string // "0.1.0", or empty
	URL     string // the project's address
	Docs    []Doc  // the catalogue; codes that are not in it get a rule without a text
}

// The part of SARIF 2.1.0 that is written here.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html (2026-11-21)
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri,omitempty"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string       `json:"id"`
		Short   *sarifText   `json:"shortDescription,omitempty"`
		Full    *sarifText   `json:"fullDescription,omitempty"`
		Help    *sarifText   `json:"help,omitempty"`
		Default *sarifConfig `json:"defaultConfiguration,omitempty"`
	}
	sarifConfig struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
		Fixes     []sarifFix      `json:"fixes,omitempty"`
		Props     *sarifProps     `json:"properties,omitempty"`
	}
	sarifProps struct {
		Account string `json:"account,omitempty"`
		Post    string `json:"post,omitempty"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact sarifArtifact `json:"artifactLocation"`
			Region   *sarifRegion  `json:"region,omitempty"`
		} `json:"physicalLocation"`
	}
	sarifArtifact struct {
		URI     string `json:"uri"`
		URIBase string `json:"uriBaseId"`
	}
	sarifFix struct {
		Description sarifText     `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion `json:"deletedRegion"`
		Inserted *sarifText  `json:"insertedContent,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
)

// WriteSARIF writes the findings as a SARIF 2.1.0 log, for code scanning services. Source lines are not quoted.
func WriteSARIF(w io.Writer, l List, tool Tool) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "postrider", Version: tool.Version, InformationURI: tool.URL, Rules: sarifRules(l, tool.Docs)}
	for _, f := range l {
		index, _ := slices.BinarySearchFunc(run.Tool.Driver.Rules, string(f.Code), func(r sarifRule, id string) int { return strings.Compare(r.ID, id) })
		r := sarifResult{RuleID: string(f.Code), RuleIndex: index, Level: sarifLevel(f.Severity), Message: sarifText{Text: f.Message}}
		if f.Account != "" {
			r.Message.Text = f.Account + ": " + r.Message.Text
		}
		if f.Hint != "" {
			r.Message.Text += "\n" + f.Hint
		}
		if f.Account != "" || f.Post != "" {
			r.Props = &sarifProps{Account: f.Account, Post: f.Post}
		}
		var loc sarifLocation
		loc.Physical.Artifact.URI = (&url.URL{Path: f.Path}).EscapedPath()
		loc.Physical.Artifact.URIBase = "%SRCROOT%"
		if f.Range.Start.Line > 0 {
			loc.Physical.Region = &sarifRegion{f.Range.Start.Line, f.Range.Start.Column, f.Range.End.Line, f.Range.End.Column}
		}
		r.Locations = []sarifLocation{loc}
		if f.Fix.Given() {
			r.Fixes = []sarifFix{sarifFixOf(&f.Fix, loc.Physical.Artifact)}
		}
		run.Results = append(run.Results, r)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(sarifLog{
		Schema:  "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version: "2.1.0",
		Runs:    []sarifRun{run},
	})
}

// sarifFixOf returns a fix as SARIF has them: https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/sarif-v2.1.0-errata01-os-complete.html (2026-11-22)
func sarifFixOf(f *Fix, file sarifArtifact) sarifFix {
	r := sarifReplacement{Deleted: sarifRegion{f.Range.Start.Line, f.Range.Start.Column, f.Range.End.Line, f.Range.End.Column}}
	if f.New != "" {
		r.Inserted = &sarifText{Text: f.New}
	}
	return sarifFix{Description: sarifText{Text: f.Text}, Changes: []sarifChange{{Artifact: file, Replacements: []sarifReplacement{r}}}}
}

// sarifRules returns one rule for each code that was found, sorted.
func sarifRules(l List, docs []Doc) []sarifRule {
	var codes []Code
	for _, f := range l {
		codes = append(codes, f.Code)
	}
	slices.Sort(codes)
	rules := []sarifRule{}
	for _, code := range slices.Compact(codes) {
		rule := sarifRule{ID: string(code)}
		for _, d := range docs {
			if d.Code == code {
				rule.Short, rule.Full = &sarifText{Text: d.Title}, &sarifText{Text: d.Why}
				rule.Help = &sarifText{Text: d.Why, Markdown: d.Markdown()}
				rule.Default = &sarifConfig{Level: sarifLevel(d.Severity)}
			}
		}
		rules = append(rules, rule)
	}
	return rules
}

func sarifLevel(s Severity) string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	default:
		return "note"
	}
}
