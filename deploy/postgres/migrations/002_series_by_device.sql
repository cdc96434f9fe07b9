-- A training looks up the other quantities of its device.
CREATE INDEX series_by_device ON series (device);
