using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Serve.Routing;

namespace Serve.Gateway.Tests;

public sealed class GatewayRegistrationTests
{
    [Fact]
    public void AddServeGateway_HostedServices_StoreNoKeys()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddServeRouting(_ => throw new InvalidOperationException("no replica is asked for"));
        builder.Services.AddServeGateway(new GatewayOptions());

        // A hosted service that stores keys would write to the user's home directory at start.
        Assert.DoesNotContain(builder.Services, service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.FullName?.Contains("DataProtection", StringComparison.Ordinal) is true);
    }
}
