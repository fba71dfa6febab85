#include "swarm/zipf.h"

#include <math.h>

#define EXPONENT_MAX 8.0

/* Mean and variance of ln(rank), if rank r has a weight of r^-s. */
static void moments(size_t n, double s, double *ret_mean, double *ret_variance)
{
	double sum = 0, sum_log = 0, sum_square = 0;

	for (size_t i = 1; i <= n; i++) {
		double log_rank = log((double)i), weight = exp(-s * log_rank);
		sum += weight;
		sum_log += weight * log_rank;
		sum_square += weight * log_rank * log_rank;
	}
	*ret_mean = sum_log / sum;
	*ret_variance = sum_square / sum - *ret_mean * *ret_mean;
}

/*
 * The likelihood is greatest where the mean of ln(rank) that s gives equals that of the counts. It
 * falls with s, and its slope is the variance: Newton's method, kept within bounds.
 */
double zipf_exponent(const uint64_t *counts, size_t n)
{
	double total = 0, sum_log = 0, low = 0, high = EXPONENT_MAX, s = 1, mean, variance;

	if (n < ZIPF_MIN || counts[0] == counts[n - 1])
		return NAN;
	for (size_t i = 0; i < n; i++) {
		total += (double)counts[i];
		sum_log += (double)counts[i] * log((double)i + 1);
	}
	double want = sum_log / total;
	moments(n, high, &mean, &variance);
	if (want < mean)
		return NAN;
	for (int round = 0; round < 60 && high - low > 1e-6; round++) {
		moments(n, s, &mean, &variance);
		if (mean > want)
			low = s;
		else
			high = s;
		double next = variance > 0 ? s + (mean - want) / variance : low;
		if (fabs(next - s) < 1e-6)
			return next;
		s = next > low && next < high ? next : low + (high - low) / 2;
	}
	return s;
}
