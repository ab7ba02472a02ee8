namespace Serve.Specs;

/// <summary>States a setting's <see cref="UpdateImpact"/>, so that a rollout falls out of a field-wise comparison.</summary>
/// <param name="impact">What changing the setting does.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UpdateImpactAttribute(UpdateImpact impact) : Attribute
{
    /// <summary>What changing the setting does.</summary>
    public UpdateImpact Impact { get; } = impact;
}
