using Serve.Runtime.Methods;
using Serve.Runtime.Tests.Functions;

namespace Serve.Runtime.Tests.Methods;

public sealed class RemoteFunctionTableTests
{
    [Fact]
    public async Task Resolve_RemoteFunction_InvokesWithSuppliedParameters()
    {
        await using var ray = await Cluster.Init();
        var method = RemoteFunctionTable.Resolve(typeof(Demo), "Supplied");

        Assert.Equal(["a"], method.Parameters.Select(parameter => parameter.Name));
        Assert.Equal(typeof(bool), method.ResultType);
        Assert.Equal(true, await method.InvokeAsync(null, [1], CancellationToken.None));
        Assert.Equal(false, await method.InvokeAsync(null, [1], new(canceled: true)));
        Assert.Same(method, RemoteFunctionTable.Resolve(typeof(Demo), "Supplied"));
    }

    [Fact]
    public async Task InvokeAsync_CompiledAfterManyCalls_ReturnsSame()
    {
        await using var ray = await Cluster.Init();
        var (supplied, add, fail) = (RemoteFunctionTable.Resolve(typeof(Demo), "Supplied"), RemoteFunctionTable.Resolve(typeof(Demo), "Add"), RemoteFunctionTable.Resolve(typeof(Demo), "Fail"));

        for (var i = 0; i < 40; i++)
        {
            Assert.Equal(true, await supplied.InvokeAsync(null, [1], CancellationToken.None));
            Assert.Equal(i + 2, await add.InvokeAsync(null, [i, 2], CancellationToken.None));
            await Assert.ThrowsAsync<InvalidOperationException>(async () => await fail.InvokeAsync(null, ["as asked"], CancellationToken.None));
        }
    }

    [Fact]
    public async Task Resolve_NonCapturingLambda_Runs()
    {
        Func<int, int> twice = static x => 2 * x;
        Func<int, int> same = x => x;
        Func<Task<int>> later = async () => await Task.FromResult(3);

        foreach (var (lambda, arguments, expected) in new (Delegate, object?[], int)[] { (twice, [4], 8), (same, [4], 4), (later, [], 3) })
        {
            var method = RemoteFunctionTable.Resolve(lambda.Method.DeclaringType!, lambda.Method.Name);
            for (var i = 0; i < 20; i++)
                Assert.Equal(expected, await method.InvokeAsync(null, arguments, CancellationToken.None));
        }
    }

    [Fact]
    public void Resolve_UnknownFunction_SuggestsNearest()
    {
        var thrown = Assert.Throws<BadInputException>(() => RemoteFunctionTable.Resolve(typeof(Demo), "Agregate"));

        Assert.Contains("Did you mean 'Aggregate'?", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resolve_Overloads_ReturnsRemoteOrRequested()
    {
        Assert.Equal(1, await RemoteFunctionTable.Resolve(typeof(OverloadedFunctions), "Marked").InvokeAsync(null, [], CancellationToken.None));
        Assert.Equal("s", await RemoteFunctionTable.Resolve(typeof(OverloadedFunctions), "System.String Plain(System.String)").InvokeAsync(null, ["s"], CancellationToken.None));
        Assert.Throws<BadInputException>(() => RemoteFunctionTable.Resolve(typeof(OverloadedFunctions), "Plain"));
        Assert.Throws<BadInputException>(() => RemoteFunctionTable.Resolve(typeof(OverloadedFunctions), nameof(ToString)));
    }

    internal sealed class OverloadedFunctions
    {
        public static int Marked(int a) => a + 1;

        [Remote]
        public static int Marked() => 1;

        public static int Plain(int a) => a;

        public static string Plain(string a) => a;
    }
}
