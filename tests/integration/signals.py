# SPDX-License-Identifier: GPL-3.0-or-later
"""signals: what made-up sensors say. A daily cycle, a weaker weekly one, slow weather and a
little noise of the sensor; the same seed gives the same values."""

import math
import random

HOUR = 3_600_000
DAY = 24 * HOUR
PERSIST = 0.85  # of the weather from hour to hour


class Signal:
    def __init__(self, seed, base, swing, phase_h=9.0, weather=0.5, noise=0.05, days=70):
        rng = random.Random(seed)
        self.base, self.swing, self.phase_h, self.noise = base, swing, phase_h, noise
        self.weather, x = [], 0.0
        for _ in range(days * 24 + 2):
            x = PERSIST * x + rng.gauss(0, weather * math.sqrt(1 - PERSIST**2))
            self.weather.append(x)
        self.rng = random.Random(seed + 1)
        self.start = None

    def at(self, t_ms):
        """In the order of time: the sensor's own noise is drawn as it goes."""
        if self.start is None:
            self.start = t_ms // HOUR * HOUR
        hours = (t_ms - self.start) / HOUR
        i = min(int(hours), len(self.weather) - 2)
        weather = self.weather[i] + (hours - i) * (self.weather[i + 1] - self.weather[i])
        day = math.sin(2 * math.pi * (t_ms / HOUR - self.phase_h) / 24)
        weekend = 0.1 * self.swing * (((t_ms // DAY) + 3) % 7 >= 5)
        return round(self.base + self.swing * day + weekend + weather + self.rng.gauss(0, self.noise), 3)


class Home:
    """Devices with temperature and humidity. publish is what Stack.advance() wants."""

    def __init__(self, devices, every_ms=10 * 60_000, seed=1):
        self.every_ms = every_ms
        self.signals = {}
        for i, d in enumerate(devices):
            self.signals[d] = {"temperature": Signal(seed * 100 + i, 20 + i, 3.0),
                               "humidity": Signal(seed * 100 + 50 + i, 50 + 2 * i, 6.0, phase_h=21, weather=1.0)}

    def publish(self, hour_ms):
        for t in range(hour_ms, hour_ms + HOUR, self.every_ms):
            for device, signals in self.signals.items():
                yield device, t, {q: s.at(t) for q, s in signals.items()}
