using Serve.Calls;

namespace Serve.Abstractions.Tests.Handles;

public sealed class HandleFactoryTests
{
    [Fact]
    public async Task GetHandle_ByNameAndByClass_AsksForTheDeployment()
    {
        var factory = new FakeHandleFactory();

        await factory.GetHandle("Counter").Remote<object?>();
        await factory.GetHandle("Counter", "app").Remote<object?>();
        await factory.GetHandle<Calculator>().Same.Remote(1);
        await factory.GetHandle<RenamedDeployment>("app").ToDeploymentHandle().Remote<object?>();

        Assert.Equal([("Counter", null), ("Counter", "app"), ("Calculator", null), ("other", "app")], factory.Asked);
    }

    [Fact]
    public void NameOf_AClass_IsWhatItIsDeployedUnder()
    {
        Assert.Equal("Calculator", DeploymentAttribute.NameOf(typeof(Calculator)));
        Assert.Equal("other", DeploymentAttribute.NameOf(typeof(RenamedDeployment)));
        Assert.Equal("HandleFactoryTests", DeploymentAttribute.NameOf(typeof(HandleFactoryTests)));
    }

    [Fact]
    public async Task NamedCall_ArgsAmongTheArguments_AreResolved()
    {
        var target = new FakeCallTarget { Answer = (_, arguments, _) => ValueTask.FromResult<object?>(arguments.Length) };
        var handle = new DeploymentHandle(target, "X");

        await handle.Remote<int>(Arg.Of<IReadOnlyList<int>>([1, 2]), (Arg<int>)handle.Remote<int>("a", "b"), 3);

        Assert.Equal([new[] { 1, 2 }, 2, 3], target.Calls[1].Arguments);
    }

    [Deployment("other")]
    private sealed class RenamedDeployment;

    private sealed class FakeHandleFactory : IHandleFactory
    {
        public List<(string Deployment, string? Application)> Asked { get; } = [];

        public ICallTarget GetTarget(string deployment, string? application = null)
        {
            Asked.Add((deployment, application));
            return new FakeCallTarget();
        }
    }
}
