//go:build !race

package delegation

const raceDetector = false
