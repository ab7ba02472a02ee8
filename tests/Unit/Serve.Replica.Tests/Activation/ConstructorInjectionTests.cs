using System.Text.Json.Nodes;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Activation;

public sealed class ConstructorInjectionTests
{
    private static readonly JsonObject Args = new() { ["greeting"] = "hi", ["limits"] = new JsonObject { ["max_tokens"] = 5 } };

    [Fact]
    public async Task Constructor_ArgsServicesAndDefaults_AreInjected()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Greeter), new() { Args = Args });

        Assert.Equal(
            """{"greeting":"hi","maxTokens":5,"clock":"tick","loud":"LOUD","times":2,"day":"Sunday","replica":"shop#Greeter#r1","deployment":"shop/Greeter","rank":1,"worldSize":3,"gpuIds":[2],"applicationName":"shop","environmentName":"Production","all":true}""",
            await replica.GetAsync());
    }

    [Fact]
    public async Task Constructor_ArgOfAParameterWithDefault_Wins()
    {
        await using var replica = await ReplicaTestHost.StartAsync(
            typeof(Greeter), new() { Args = new() { ["greeting"] = "hi", ["limits"] = Args["limits"]!.DeepClone(), ["Times"] = 9, ["day"] = "Friday" } });

        var answer = await replica.GetAsync();
        Assert.Contains("\"times\":9", answer, StringComparison.Ordinal);
        Assert.Contains("\"day\":\"Friday\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_MissingAndInvalidArgs_ReportsAll()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => ReplicaTestHost.StartAsync(
            typeof(Greeter), new() { Args = new() { ["limits"] = "many", ["times"] = "x" } }));

        Assert.Equal(3, error.Errors.Count);
        Assert.Contains("Constructor parameter 'greeting' (String) of Greeter has no value", error.Errors[0], StringComparison.Ordinal);
        Assert.Contains("args.limits must be a Limits for the constructor of Greeter, but was \"many\"", error.Errors[1], StringComparison.Ordinal);
        Assert.Contains("args.times must be a Int32 for the constructor of Greeter, but was \"x\"", error.Errors[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Method_ScopedService_LivesAsLongAsTheRequest()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Greeter), new() { Args = Args });

        Assert.Equal("""{"number":1,"disposed":0}""", await replica.GetAsync("/scope"));
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
        Assert.Equal("""{"number":2,"disposed":1}""", await replica.GetAsync("/scope"));
    }

    [Fact]
    public async Task Constructor_Handles_CallDeploymentsOfTheApplication()
    {
        var handles = new RecordingHandleFactory();
        await using var replica = await StartCallerAsync(handles);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/app");
        request.Headers.Add("X-Request-ID", "req-1");
        request.Headers.Add("serve_multiplexed_model_id", "m1");
        using var response = await replica.Client.SendAsync(request);

        Assert.Equal("""{"count":42,"square":42,"requestId":"req-1","model":"m1"}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(["shop/the-counter.Call", "shop/Calculator.Square"], handles.Calls);
        Assert.All(handles.Contexts, context => Assert.Equal("req-1", context.RequestId));
    }

    [Fact]
    public async Task Constructor_HandleToUnknownDeployment_ErrorListsDeployments()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => ReplicaTestHost.StartAsync(typeof(Caller), new()
        {
            Handles = new RecordingHandleFactory(),
            Deployments = new ReplicaTestOptions().Deployments.Add(typeof(Counter).FullName!, "the-counter"),
        }));

        Assert.Contains("is a handle, but application shop has no deployment of that name. Its deployments are the-counter.", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    private static Task<ReplicaTestHost> StartCallerAsync(RecordingHandleFactory handles) => ReplicaTestHost.StartAsync(typeof(Caller), new()
    {
        Handles = handles,
        Deployments = new ReplicaTestOptions().Deployments
            .Add(typeof(Counter).FullName!, "the-counter").Add(typeof(Calculator).FullName!, "Calculator").Add(typeof(Caller).FullName!, "Caller"),
    });
}
