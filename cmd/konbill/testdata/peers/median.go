package main

import "slices"

// median is the middle value; of an even number, the upper one of the two.
func median[T int64 | float64](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// ratio is how many times as long theirs took as ours: the median of the rounds,
// because what disturbs a round disturbs both.
func ratio(theirs, ours []float64) float64 {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = theirs[i] / ours[i]
	}
	return median(ratios)
}
