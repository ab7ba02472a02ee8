using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Serve.Gateway.Tests;
using Serve.Inference.Models;

namespace Serve.Inference.Tests;

/// <summary>Readiness of the server while the node starts or drains.</summary>
public sealed class ServerReadinessTests
{
    [Fact]
    public async Task Ready_NodeDoesNotServe_Returns503()
    {
        var repository = new UnreadyModelRepository();
        await using var gateway = await GatewayTestHost.StartAsync(
            services: (services, options) => services.AddSingleton<IModelRepository>(repository).AddServeInference(new(options.Http, options.Guard)), protocols: static gateway => gateway.UseOpenInference());

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync("/v2/health/ready")).StatusCode);

        repository.IsServing = true;
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.GetAsync("/v2/health/ready")).StatusCode);
    }

    /// <summary>A repository without models, as while those of an earlier run are read.</summary>
    private sealed class UnreadyModelRepository : IModelRepository
    {
        public bool IsServing { get; set; }

        public IReadOnlyList<RepositoryModelEntry> List() => [];

        public Task LoadAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task UnloadAsync(string name, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
