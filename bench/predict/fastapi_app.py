# SPDX-License-Identifier: GPL-3.0-or-later
"""The second peer of bench/predict: FastAPI and scikit-learn answering the same question with the
same fields, a bearer token checked, as its documentation suggests to write it."""

import hmac
import os

import numpy as np
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sklearn.linear_model import Ridge

LAGS = ["lag_1", "lag_2", "lag_3", "lag_4"]

rng = np.random.default_rng(1)
x = rng.normal(20, 3, (1000, 4))
model = Ridge().fit(x, x.mean(axis=1))
app = FastAPI()
bearer = HTTPBearer()


class Features(BaseModel):
    lag_1: float
    lag_2: float
    lag_3: float
    lag_4: float


class Ask(BaseModel):
    model: str
    features: Features


def allowed(credentials: HTTPAuthorizationCredentials = Depends(bearer)):
    if not hmac.compare_digest(credentials.credentials, os.environ["BENCH_TOKEN"]):
        raise HTTPException(401)


@app.post("/predict", dependencies=[Depends(allowed)])
async def predict(ask: Ask):
    yhat = float(model.predict(np.array([[getattr(ask.features, lag) for lag in LAGS]]))[0])
    return {"model": ask.model, "version": 1, "algorithm": "ridge", "origin": None, "level": 0.95,
            "predictions": [{"time": None, "lead": 1, "yhat": yhat, "yhat_lower": yhat - 1, "yhat_upper": yhat + 1}],
            "warnings": []}
