package media

import (
	"math"
	"runtime"
	"sync"
)

// plane is one plane of a picture, of n bytes a pixel. One of its pixels stands for sx×sy of the picture's.
type plane struct {
	pix       []uint8
	w, h      int
	stride, n int
	sx, sy    int
}

func (p *plane) row(y int) []uint8 { return p.pix[y*p.stride:][:p.w*p.n] }

// scale returns the plane at w×h, where each pixel covers kx×ky of p's. It filters with Catmull-Rom, widened when it scales down, so that nothing
// flickers and edges stay sharp; what is scaled down to a quarter and less is averaged by twos first, which nobody sees and takes a fraction of the time.
func (p *plane) scale(w, h int, kx, ky float64) plane {
	src := *p
	for kx >= 4 && ky >= 4 {
		src = src.half()
		kx, ky = kx/2, ky/2
	}
	if kx == 1 && ky == 1 && w == src.w && h == src.h {
		return src
	}
	out := plane{pix: make([]uint8, w*h*p.n), w: w, h: h, stride: w * p.n, n: p.n, sx: 1, sy: 1}
	across, down := weigh(w, src.w, kx), weigh(h, src.h, ky)
	inBands(h, func(from, to int) {
		sums := make([]int32, src.w*src.n)
		for y := from; y < to; y++ {
			down.column(&src, y, sums)
			across.row(sums, out.row(y), p.n)
		}
	})
	return out
}

// half returns the plane at half its size, each pixel the mean of four.
func (p *plane) half() plane {
	out := plane{w: (p.w + 1) / 2, h: (p.h + 1) / 2, n: p.n, sx: 1, sy: 1}
	out.stride = out.w * out.n
	out.pix = make([]uint8, out.stride*out.h)
	inBands(out.h, func(from, to int) {
		for y := from; y < to; y++ {
			a, b, dst := p.row(2*y), p.row(min(2*y+1, p.h-1)), out.row(y)
			whole := p.w / 2
			if p.n == 1 {
				a, b, d := a[:2*whole], b[:2*whole], dst[:whole]
				for x := range d {
					i := 2 * x
					d[x] = uint8((uint32(a[i]) + uint32(a[i+1]) + uint32(b[i]) + uint32(b[i+1]) + 2) >> 2)
				}
			} else {
				for x := range whole {
					for c := range p.n {
						i := 2*x*p.n + c
						dst[x*p.n+c] = uint8((uint32(a[i]) + uint32(a[i+p.n]) + uint32(b[i]) + uint32(b[i+p.n]) + 2) >> 2)
					}
				}
			}
			if whole < out.w { // the last column has no neighbour
				for c := range p.n {
					i := (p.w-1)*p.n + c
					dst[whole*p.n+c] = uint8((uint32(a[i]) + uint32(b[i]) + 1) >> 1)
				}
			}
		}
	})
	return out
}

// inBands carries out the work for 0 to n-1 on all processors.
func inBands(n int, work func(from, to int)) {
	bands := min(runtime.GOMAXPROCS(0), (n+63)/64)
	var wg sync.WaitGroup
	for i := 1; i < bands; i++ {
		wg.Go(func() { work(n*i/bands, n*(i+1)/bands) })
	}
	work(0, n/max(1, bands))
	wg.Wait()
}

// The weights of a filter are whole numbers that sum up to 1 << weightBits. Between the two passes a sample has halfBits more than a byte.
const (
	weightBits = 14
	halfBits   = 6
)

// weights say of which source pixels each pixel is made: taps of them, beginning at first.
type weights struct {
	taps  int
	first []int32
	w     []int32 // taps for each pixel
}

// weigh returns the weights for n pixels of k source pixels each, out of limit. What lies beyond the edge counts as the edge.
func weigh(n, limit int, k float64) weights {
	wide := max(1, k) // the filter grows with what a pixel covers
	taps := min(2*int(math.Ceil(2*wide))+1, limit)
	out := weights{taps: taps, first: make([]int32, n), w: make([]int32, n*taps)}
	values := make([]float64, taps)
	for i := range n {
		centre := (float64(i)+0.5)*k - 0.5
		lo, hi := int(math.Ceil(centre-2*wide)), int(math.Floor(centre+2*wide))
		first := min(max(lo, 0), limit-taps)
		clear(values)
		sum := 0.0
		for j := lo; j <= hi; j++ {
			v := catmullRom((float64(j) - centre) / wide)
			values[min(max(j-first, 0), taps-1)] += v
			sum += v
		}
		out.first[i] = int32(first)
		row := out.w[i*taps:][:taps]
		rest, largest := int32(1<<weightBits), 0
		for j, v := range values {
			row[j] = int32(math.Round(v / sum * (1 << weightBits)))
			rest -= row[j]
			if row[j] > row[largest] {
				largest = j
			}
		}
		row[largest] += rest // a plain area stays as it is
	}
	return out
}

// catmullRom is the cubic filter with B = 0 and C = 1/2 (Mitchell and Netravali, 1988).
func catmullRom(t float64) float64 {
	t = math.Abs(t)
	switch {
	case t < 1:
		return (1.5*t-2.5)*t*t + 1
	case t < 2:
		return ((-0.5*t+2.5)*t-4)*t + 2
	}
	return 0
}

// column writes the weighted sums of row y's sources, one for each byte of a row.
func (ws *weights) column(src *plane, y int, sums []int32) {
	const round = 1 << (weightBits - halfBits - 1)
	for i := range sums {
		sums[i] = round
	}
	first, w := int(ws.first[y]), ws.w[y*ws.taps:][:ws.taps]
	for len(w) > 0 && w[0] == 0 {
		first, w = first+1, w[1:]
	}
	for len(w) > 0 && w[len(w)-1] == 0 {
		w = w[:len(w)-1]
	}
	for ; len(w) >= 4; first, w = first+4, w[4:] {
		w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
		a, b, c, d := src.row(first)[:len(sums)], src.row(first + 1)[:len(sums)], src.row(first + 2)[:len(sums)], src.row(first + 3)[:len(sums)]
		for i := range sums {
			sums[i] += w0*int32(a[i]) + w1*int32(b[i]) + w2*int32(c[i]) + w3*int32(d[i])
		}
	}
	for j, weight := range w {
		a := src.row(first + j)[:len(sums)]
		for i := range sums {
			sums[i] += weight * int32(a[i])
		}
	}
	for i := range sums {
		sums[i] >>= weightBits - halfBits
	}
}

// row writes a row of pixels, of n bytes each, from the sums of its columns.
func (ws *weights) row(sums []int32, dst []uint8, n int) {
	const round, shift = 1 << (weightBits + halfBits - 1), weightBits + halfBits
	for x, first := range ws.first {
		w := ws.w[x*ws.taps:][:ws.taps]
		if n == 1 {
			s := sums[first:][:len(w)]
			v := int32(round)
			for j := range s {
				v += w[j] * s[j]
			}
			dst[x] = clamp(v>>shift, 255)
			continue
		}
		s := sums[int(first)*4:][:4*len(w)]
		r, g, b, a := int32(round), int32(round), int32(round), int32(round)
		for j := range w {
			q := s[4*j:][:4]
			r += w[j] * q[0]
			g += w[j] * q[1]
			b += w[j] * q[2]
			a += w[j] * q[3]
		}
		d := dst[4*x:][:4]
		alpha := clamp(a>>shift, 255)
		most := int32(alpha) // premultiplied colour is never more than its alpha
		d[0], d[1], d[2], d[3] = clamp(r>>shift, most), clamp(g>>shift, most), clamp(b>>shift, most), alpha
	}
}

func clamp(v, most int32) uint8 { return uint8(min(max(v, 0), most)) }

// upright returns the plane as an EXIF orientation says that it is shown (CIPA DC-008, section 4.6.4).
func upright(p plane, orientation int) plane {
	if orientation < 2 || orientation > 8 {
		return p
	}
	out := plane{w: p.w, h: p.h, n: p.n, sx: 1, sy: 1}
	if orientation >= 5 {
		out.w, out.h = p.h, p.w
	}
	out.stride = out.w * out.n
	out.pix = make([]uint8, out.stride*out.h)
	for y := range out.h {
		dst := out.row(y)
		for x := range out.w {
			sx, sy := x, y
			if orientation >= 5 {
				sx, sy = y, x
			}
			switch orientation {
			case 2, 3, 7, 8:
				sx = p.w - 1 - sx
			}
			switch orientation {
			case 3, 4, 6, 7:
				sy = p.h - 1 - sy
			}
			copy(dst[x*p.n:][:p.n], p.pix[sy*p.stride+sx*p.n:])
		}
	}
	return out
}
