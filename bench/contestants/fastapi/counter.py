"""The same service as Python's field would write it: FastAPI, one worker (a second would count apart)."""

from fastapi import FastAPI

app = FastAPI()
count = 0


@app.get("/Counter")
async def counter():
    global count
    count += 1
    return {"count": count}
