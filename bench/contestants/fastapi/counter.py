"""The same service in Python: FastAPI with one worker (a second worker would have its own count)."""

from fastapi import FastAPI

app = FastAPI()
count = 0


@app.get("/Counter")
async def counter():
    global count
    count += 1
    return {"count": count}
