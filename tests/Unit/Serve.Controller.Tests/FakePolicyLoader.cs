using Serve.Controller.Applications;
using Serve.Specs;

namespace Serve.Controller.Tests;

/// <summary>Creates policies by class name from functions of a test.</summary>
internal sealed class FakePolicyLoader : IAutoscalingPolicyLoader, IDisposable
{
    public Dictionary<string, Func<object>> Classes { get; } = [];

    public int Released { get; private set; }

    public LoadedAutoscalingPolicy Load(ApplicationPackage package, AutoscalingPolicySpec policy) =>
        new(Classes.TryGetValue(policy.PolicyClass, out var create) ? create() : throw new DefinitionException($"no class {policy.PolicyClass}"), this);

    public void Dispose() => Released++;

    public sealed class Single(Func<AutoscalingContext, AutoscalingDecision> decide) : IAutoscalingPolicy
    {
        public AutoscalingDecision Decide(AutoscalingContext context) => decide(context);
    }

    public sealed class Shared(Func<IReadOnlyDictionary<string, AutoscalingContext>, IReadOnlyDictionary<string, AutoscalingDecision>> decide) : IApplicationAutoscalingPolicy
    {
        public IReadOnlyDictionary<string, AutoscalingDecision> Decide(IReadOnlyDictionary<string, AutoscalingContext> deployments) => decide(deployments);
    }
}
