//go:build !race

package shortest

const raceDetector = false
