using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Serve.Bench.Bare;

var builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http2));
builder.Services.AddGrpc();
var app = builder.Build();
app.MapGrpcService<CountingService>();
app.Run();

internal sealed class CountingService : Bare.BareBase
{
    private static int _count;

    public override Task<CountReply> Count(CountRequest request, ServerCallContext context) => Task.FromResult(new CountReply
    {
        Result = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(new { count = Interlocked.Increment(ref _count) })),
    });
}
