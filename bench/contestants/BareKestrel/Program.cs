// The hand-written service: a minimal API endpoint with the same response as deployments/Counter.cs.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
var count = 0;
app.MapGet("/Counter", () => new { count = Interlocked.Increment(ref count) });
app.Run();
