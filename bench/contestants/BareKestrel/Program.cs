// The hand-written service: the same answer as deployments/Counter.cs gives, from one minimal API endpoint.
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
var count = 0;
app.MapGet("/Counter", () => new { count = Interlocked.Increment(ref count) });
app.Run();
