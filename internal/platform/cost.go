package platform

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// USD is an amount of money in millionths of a US dollar.
type USD int64

const (
	dollar   USD = 1_000_000
	maxUSD       = 1_000_000_000 * dollar // more is a mistake, and sums of it stay far from the end of an int64
	decimals     = 6
)

// String writes an amount as people do, with cents and what there is below them: "$25.00", "$0.215".
func (u USD) String() string {
	sign := ""
	if u < 0 {
		sign, u = "-", -u
	}
	below := strings.TrimRight(fmt.Sprintf("%06d", u%dollar), "0")
	return fmt.Sprintf("%s$%d.%s", sign, u/dollar, below+strings.Repeat("0", max(0, 2-len(below))))
}

// ParseUSD reads an amount: "25", "12.50", "$25" or "25 USD".
func ParseUSD(s string) (USD, error) {
	number := strings.TrimSpace(s)
	if of, ok := strings.CutSuffix(number, "USD"); ok {
		number = strings.TrimRight(of, " ")
	} else {
		number = strings.TrimPrefix(number, "$")
	}
	whole, below, _ := strings.Cut(number, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	if !digits(whole) || strings.Contains(number, ".") && !digits(below) || len(below) > decimals {
		return 0, fmt.Errorf("%q is no amount in US dollars", s)
	}
	n, err := strconv.ParseInt(whole+below+strings.Repeat("0", decimals-len(below)), 10, 64)
	if err != nil || USD(n) > maxUSD {
		return 0, errors.New("that is more than a billion")
	}
	return USD(n), nil
}

// Price is what a network charges for a request.
type Price struct {
	Name     string // "post", "post_link" …
	One      string // what is charged for: "post with a link"
	Many     string // more than one of it: "posts with links"
	USD      USD    // for one
	Doc      string // address of the page that states it
	Verified string // the date on which that was checked, YYYY-MM-DD
	Note     string
}

// Coster is implemented by adapters of networks that charge for posts. Their Info has Prices.
type Coster interface {
	// Cost returns what sending each part of a rendering costs, as far as can be told before: an estimate. What comes later, such as
	// removals, is not in it.
	Cost(r *Rendering, a *Account) []Cost
}

// CostOf returns what sending each part of a rendering costs; nil where the network charges nothing.
func CostOf(adapter Adapter, a *Account, r *Rendering) []Cost {
	if c, ok := adapter.(Coster); ok {
		return c.Cost(r, a)
	}
	return nil
}

// Cost is what something costs, line by line.
type Cost []CostLine

// CostLine is one position of a cost.
type CostLine struct {
	N         int
	One, Many string // of the price
	USD       USD    // all N together
}

// Of returns what n requests of a price cost, nothing for 0.
func (p *Price) Of(n int) Cost {
	if n == 0 {
		return nil
	}
	return Cost{{N: n, One: p.One, Many: p.Many, USD: USD(n) * p.USD}}
}

// Sum adds costs up; what is charged for alike becomes one line.
func Sum(costs ...Cost) Cost {
	var sum Cost
	for _, line := range slices.Concat(costs...) {
		if i := slices.IndexFunc(sum, func(l CostLine) bool { return l.One == line.One }); i >= 0 {
			sum[i].N, sum[i].USD = sum[i].N+line.N, sum[i].USD+line.USD
			continue
		}
		sum = append(sum, line)
	}
	return sum
}

// Total returns the amount.
func (c Cost) Total() (total USD) {
	for _, l := range c {
		total += l.USD
	}
	return total
}

// String says what a cost is made of: "1 post with a link, 2 descriptions of pictures".
func (c Cost) String() string {
	lines := make([]string, len(c))
	for i, l := range c {
		lines[i] = l.String()
	}
	return strings.Join(lines, ", ")
}

// String says what the position is: "1 post with a link".
func (l CostLine) String() string {
	if l.N == 1 {
		return "1 " + l.One
	}
	return fmt.Sprintf("%d %s", l.N, l.Many)
}
