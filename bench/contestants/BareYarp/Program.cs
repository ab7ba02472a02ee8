using Yarp.ReverseProxy.Configuration;

// Usage: BareYarp --urls http://127.0.0.1:PORT --destination http://127.0.0.1:PORT
var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
var destination = builder.Configuration["destination"] ?? throw new InvalidOperationException("--destination is missing");
builder.Services.AddReverseProxy().LoadFromMemory(
    [new RouteConfig { RouteId = "counter", ClusterId = "counter", Match = new() { Path = "/Counter/{**rest}" } }],
    [new ClusterConfig { ClusterId = "counter", Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = destination } } }]);
var app = builder.Build();
app.MapReverseProxy();
app.Run();
