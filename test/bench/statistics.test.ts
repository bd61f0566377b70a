/** Medians and quartiles of the benchmarks. */
import { expect, test } from 'vitest';
import { median, quantile, round, spread } from '../../bench/statistics.mjs';

test('a quartile lies between the two values around it', () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([10, 20, 30, 40, 50], 0.25)).toBe(20);
  expect(quantile([1, 2], 0.25)).toBe(1.25);
  expect(quantile([7], 0.75)).toBe(7);
});

test('a median is not moved by one round that the machine spent elsewhere', () => {
  expect(median([10, 11, 9, 10, 900])).toBe(10);
});

test('the values stay as they were', () => {
  const values = [3, 1, 2];
  median(values);
  expect(values).toEqual([3, 1, 2]);
});

test('three figures are kept, four of a thousand and more', () => {
  expect(round(1.23456)).toBe(1.23);
  expect(round(1234.56)).toBe(1235);
});

test('a spread has the median, the quartiles, and of how many they are', () => {
  expect(spread([1, 2, 3, 4, 5])).toEqual({ median: 3, q1: 2, q3: 4, count: 5 });
});
