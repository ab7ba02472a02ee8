using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Serve.Http;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

/// <summary>A gateway in the same process passes its own request, which already has an endpoint and services.</summary>
public sealed class BorrowedHttpContextTests
{
    [Theory]
    [InlineData(typeof(Counter), "", """{"count":1}""")]
    [InlineData(typeof(Calculator), "/square/4", "16")]
    public async Task Request_WithAnOuterEndpoint_IsAnsweredAndGivenBackAsItWas(Type sample, string path, string expected)
    {
        await using var replica = await ReplicaTestHost.StartAsync(sample);
        await using var services = new ServiceCollection().BuildServiceProvider();
        var outer = new Endpoint(_ => throw new InvalidOperationException("the gateway's"), EndpointMetadataCollection.Empty, "gateway");
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services, Request = { Method = "GET", PathBase = "/app", Path = path }, Response = { Body = body } };
        context.SetEndpoint(outer);

        Assert.True(await ((IActorHttpHandler)replica.Instance).TryHandleAsync(context));

        Assert.Equal(expected, System.Text.Encoding.UTF8.GetString(body.ToArray()));
        Assert.Same(outer, context.GetEndpoint());
        Assert.Same(services, context.RequestServices);
    }
}
