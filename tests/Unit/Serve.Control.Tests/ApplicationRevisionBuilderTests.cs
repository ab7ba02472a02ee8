using Serve.Control.Desired;
using Serve.Specs;

namespace Serve.Control.Tests;

public sealed class ApplicationRevisionBuilderTests
{
    private static readonly ApplicationPackage Package = new()
    {
        Hash = "h1",
        AssemblyFile = "a.dll",
        Ingress = "Counter",
        Deployments = [new() { Options = new() { Name = "Counter", NumReplicas = 2 }, TypeName = "Counter" }],
    };

    private static readonly ApplicationConfig Config = new() { Name = "app", ImportPath = "Counter.cs" };

    [Fact]
    public void Build_NoRoutePrefix_UsesTheIngress() =>
        Assert.Equal("/Counter", ApplicationRevisionBuilder.Build(Config, Package, IsolationMode.None, 1).RoutePrefix);

    [Fact]
    public void Build_RoutePrefixNone_HasNoRoute() =>
        Assert.Null(ApplicationRevisionBuilder.Build(Config with { RoutePrefix = ApplicationConfig.NoRoute }, Package, IsolationMode.None, 1).RoutePrefix);

    [Theory]
    [InlineData("/")]
    [InlineData("/digits")]
    [InlineData("/models/digits")]
    [InlineData("/v2/models/a/b")]
    public void Build_ModelWithAnotherRoutePrefix_IsRejected(string prefix)
    {
        var errors = Assert.Throws<DefinitionException>(() => Model(prefix)).Errors;
        Assert.Equal(
            $"digits: route_prefix '{prefix}' is not allowed for a model: clients of the Open Inference Protocol expect it at /v2/models/NAME. Remove route_prefix.",
            Assert.Single(errors));
    }

    [Theory]
    [InlineData(null, "/v2/models/digits")]
    [InlineData("/v2/models/other", "/v2/models/other")]
    [InlineData(ApplicationConfig.NoRoute, null)]
    public void Build_ModelWithAnAllowedRoutePrefix_IsAccepted(string? prefix, string? expected) =>
        Assert.Equal(expected, Model(prefix).RoutePrefix);

    [Fact]
    public void Build_SeveralErrors_ReportsAll()
    {
        var wrong = Config with
        {
            Name = "a b",
            RoutePrefix = "x/",
            Deployments = [new() { Name = "Countr" }, new() { Name = "Counter", NumReplicas = -1 }],
        };
        var errors = Assert.Throws<DefinitionException>(() => ApplicationRevisionBuilder.Build(wrong, Package, IsolationMode.None, 1)).Errors;
        Assert.Equal(4, errors.Count);
        Assert.Contains(errors, error => error.Contains("did you mean 'Counter'?", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Shop.MyPicker", null)]
    [InlineData("MyPicker", null)]
    [InlineData("Mypicker", "app: Counter.request_router_config.request_router_class: 'Mypicker' is not a public class derived from ReplicaPicker; those of the application: Shop.MyPicker, Shop.A.Other, Shop.B.Other")]
    [InlineData("Other", "app: Counter.request_router_config.request_router_class: 'Other' is not a public class derived from ReplicaPicker; those of the application: Shop.MyPicker, Shop.A.Other, Shop.B.Other")]
    public void Build_RoutingPolicyOfTheApplication_MustBeOneOfItsClasses(string name, string? expected)
    {
        var config = Config with { Deployments = [new() { Name = "Counter", RequestRouterConfig = new() { RequestRouterClass = name } }] };
        var package = Package with { PickerClasses = ["Shop.MyPicker", "Shop.A.Other", "Shop.B.Other"] };

        var errors = Record.Exception(() => ApplicationRevisionBuilder.Build(config, package, IsolationMode.None, 1)) as DefinitionException;

        Assert.Equal(expected is null ? [] : [expected], errors?.Errors ?? []);
    }

    private static ApplicationRevision Model(string? prefix) => ApplicationRevisionBuilder.Build(
        new() { Name = "digits", ImportPath = "digits.onnx", RoutePrefix = prefix },
        Package with { AssemblyFile = null, Ingress = "digits", Deployments = [new() { Options = new() { Name = "digits" }, TypeName = "Model" }] },
        IsolationMode.None, 1);
}
