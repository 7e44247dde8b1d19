//go:build !race

package verifier

// raceDetector makes everything many times slower.
const raceDetector = false
