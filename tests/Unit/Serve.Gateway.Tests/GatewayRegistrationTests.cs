using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Serve.Routing;

namespace Serve.Gateway.Tests;

public sealed class GatewayRegistrationTests
{
    [Fact]
    public void AddServeGateway_OfItsHostedServices_NoneKeepsKeys()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddServeRouting(_ => throw new InvalidOperationException("no replica is asked for"));
        builder.Services.AddServeGateway(new GatewayOptions());

        // One that keeps keys writes into the user's home when the node starts.
        Assert.DoesNotContain(builder.Services, service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.FullName?.Contains("DataProtection", StringComparison.Ordinal) is true);
    }
}
