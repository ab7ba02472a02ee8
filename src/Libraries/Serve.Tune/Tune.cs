using Serve.Tuning.Spaces;

namespace Serve.Tuning;

/// <summary>Creates the distributions of a search space. Their arguments are validated together, with the paths of the parameters, when a search starts.</summary>
public static class Tune
{
    /// <summary>A number between <paramref name="low"/> and <paramref name="high"/>.</summary>
    public static ParamDomain Uniform(double low, double high) => new NumericDomain(low, high);

    /// <summary>A multiple of <paramref name="q"/> between <paramref name="low"/> and <paramref name="high"/>.</summary>
    public static ParamDomain QUniform(double low, double high, double q) => new NumericDomain(low, high) { Quantum = q };

    /// <summary>A number whose logarithm is uniform.</summary>
    public static ParamDomain LogUniform(double low, double high) => new NumericDomain(low, high) { IsLog = true };

    /// <summary>A multiple of <paramref name="q"/> whose logarithm is about uniform.</summary>
    public static ParamDomain QLogUniform(double low, double high, double q) => new NumericDomain(low, high) { IsLog = true, Quantum = q };

    /// <summary>A number of a normal distribution.</summary>
    public static ParamDomain Randn(double mean = 0, double standardDeviation = 1) => new NormalDomain(mean, standardDeviation);

    /// <summary>A number of a normal distribution, rounded to a multiple of <paramref name="q"/>.</summary>
    public static ParamDomain QRandn(double mean, double standardDeviation, double q) => new NormalDomain(mean, standardDeviation) { Quantum = q };

    /// <summary>An integer from <paramref name="low"/> to <paramref name="high"/> - 1.</summary>
    public static ParamDomain RandInt(int low, int high) => new NumericDomain(low, high) { IsInteger = true };

    /// <summary>An integer from <paramref name="low"/> to <paramref name="high"/>, a multiple of <paramref name="q"/>.</summary>
    public static ParamDomain QRandInt(int low, int high, int q) => new NumericDomain(low, high) { IsInteger = true, Quantum = q };

    /// <summary>An integer from <paramref name="low"/> to <paramref name="high"/> - 1 whose logarithm is about uniform.</summary>
    public static ParamDomain LogRandInt(int low, int high) => new NumericDomain(low, high) { IsInteger = true, IsLog = true };

    /// <summary>An integer from <paramref name="low"/> to <paramref name="high"/>, a multiple of <paramref name="q"/>, whose logarithm is about uniform.</summary>
    public static ParamDomain QLogRandInt(int low, int high, int q) => new NumericDomain(low, high) { IsInteger = true, IsLog = true, Quantum = q };

    /// <summary>One of several values with equal probability.</summary>
    public static ParamDomain Choice(params object[] values) => new ChoiceDomain(values);

    /// <summary>Each of several values: the grid of all such parameters is run once per sample.</summary>
    public static ParamDomain GridSearch(params object[] values) => new GridDomain(values);

    /// <summary>A value that a function computes from the parameters that precede it in the space.</summary>
    public static ParamDomain SampleFrom(Func<ParamValues, object> function) => new FunctionDomain(function);

    /// <summary>A parameter that exists only if a choice of the same level has a value.</summary>
    /// <param name="parameter">The name of the choice.</param>
    /// <param name="value">The value.</param>
    /// <param name="domain">The distribution of the parameter.</param>
    public static ParamDomain When(string parameter, object value, ParamDomain domain) => new ConditionalDomain(parameter, value, domain);
}
