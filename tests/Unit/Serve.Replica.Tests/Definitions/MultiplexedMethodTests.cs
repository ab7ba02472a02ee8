using Serve.Replica.Definitions;
using Serve.Replica.Tests.Fixtures;

namespace Serve.Replica.Tests.Definitions;

public sealed class MultiplexedMethodTests
{
    [Theory]
    [InlineData("public Task<Model> Load(string id, CancellationToken stop) => throw null!;")]
    [InlineData("public ValueTask<Model> Load(string id) => throw null!;")]
    [InlineData("private Model Load(string id, CancellationToken stop) => throw null!;")]
    public void Inspect_MethodThatLoads_IsWell(string method) =>
        Assert.Empty(ErrorsOf($"[Deployment] public class D(IMultiplexed<Model> models) {{ public object Call() => models; [Multiplexed] {method} }}"));

    [Theory]
    [InlineData("[Multiplexed] private Model Load(string id) => null!;", "")]
    [InlineData("[Multiplexed] public virtual Model Load(string id) => null!;", "public override Model Load(string id) => null!;")]
    [InlineData("[Multiplexed] public virtual Model Load(string id) => null!;", "[Multiplexed] public override Model Load(string id) => null!;")]
    [InlineData("[Multiplexed] protected abstract Model Load(string id);", "protected override Model Load(string id) => null!;")]
    public void Inspect_MethodOfABaseClass_LoadsToo(string method, string own) => Assert.Empty(ErrorsOf(
        $"[Deployment] public class D(IMultiplexed<Model> models) : Base {{ public object Call() => models; {own} }} public abstract class Base {{ {method} }}"));

    [Fact]
    public void Inspect_MethodOfABaseClassThatIsWrong_IsAnError() => Assert.Contains(
        "D.Load is [Multiplexed] and must be Task<TModel> Load(string modelId, CancellationToken stop) (or ValueTask<TModel>, or TModel; the token is optional).",
        ErrorsOf("[Deployment] public class D : Base { } public class Base { [Multiplexed] private static Model Load(string id) => null!; }"));

    [Fact]
    public void Inspect_SeveralMistakes_ReportsAll()
    {
        var errors = ErrorsOf("""
            [Deployment] public class D
            {
                [Multiplexed] public Task Nothing(string id) => throw null!;
                [Multiplexed] public Model Number(int id) => throw null!;
                [Multiplexed] public Model More(string id, CancellationToken stop, int more) => throw null!;
                [Multiplexed] public static Model Static(string id) => throw null!;
                [Multiplexed] public T Generic<T>(string id) => throw null!;
                [Multiplexed(MaxModelsPerReplica = 0)] public Model None(string id) => throw null!;
                [Multiplexed(MaxModelsPerReplica = -2)] public Model Fewer(string id) => throw null!;
                [Multiplexed, Microsoft.AspNetCore.Mvc.HttpGet("/x")] public Model Answers(string id) => throw null!;
            }
            """);

        Assert.Equal(8, errors.Count);
        foreach (var name in (string[])["Nothing", "Number", "More", "Static", "Generic"])
            Assert.Contains($"D.{name} is [Multiplexed] and must be Task<TModel> Load(string modelId, CancellationToken stop) (or ValueTask<TModel>, or TModel; the token is optional).", errors);
        Assert.Contains("D.None: MaxModelsPerReplica must be at least 1, or -1 for no limit, but was 0.", errors);
        Assert.Contains("D.Fewer: MaxModelsPerReplica must be at least 1, or -1 for no limit, but was -2.", errors);
        Assert.Contains("D.Answers is [Multiplexed], and therefore cannot have a route attribute.", errors);
    }

    [Fact]
    public void Inspect_TwoMethodsForOneType_IsAnError() => Assert.Contains(
        "D: One and Two both load Model ([Multiplexed]), which makes IMultiplexed<Model> ambiguous.",
        ErrorsOf("[Deployment] public class D { [Multiplexed] public Model One(string id) => null!; [Multiplexed] public Model Two(string id) => null!; }"));

    [Fact]
    public void Inspect_ParameterThatNothingLoads_IsAnError() => Assert.Contains(
        "D has a parameter IMultiplexed<String>, but no method that loads it: [Multiplexed] Task<String> Load(string modelId, CancellationToken stop).",
        ErrorsOf("[Deployment] public class D(IMultiplexed<string> models) { public object Call() => models; [Multiplexed] public Model Load(string id) => null!; }"));

    [Fact]
    public void Inspect_ParameterOfABaseTypeThatSeveralLoad_IsAnError() => Assert.Contains(
        "D has a parameter IMultiplexed<Object>, but several [Multiplexed] methods load this type; use a more specific type.",
        ErrorsOf("[Deployment] public class D(IMultiplexed<object> models) { public object Call() => models; [Multiplexed] public Model A(string id) => null!; [Multiplexed] public string B(string id) => null!; }"));

    [Fact]
    public void Inspect_OverloadThatIsNot_IsAnError() => Assert.Contains(
        "D.Load is [Multiplexed] and has an overload that is not, which makes calls by name ambiguous. Rename one.",
        ErrorsOf("[Deployment] public class D { [Multiplexed] public Model Load(string id) => null!; public int Load(int x) => x; }"));

    private static IReadOnlyList<string> ErrorsOf(string source)
    {
        using var code = UserCode.Compile(source + " public class Model { }");
        try
        {
            DeploymentInspector.Inspect(code.Assembly());
            return [];
        }
        catch (DefinitionException error)
        {
            return error.Errors;
        }
    }
}
