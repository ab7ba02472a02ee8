namespace Serve.Tuning.Spaces;

/// <summary>A parameter of a search space.</summary>
/// <param name="Path">The path.</param>
/// <param name="Domain">The distribution; null for a constant.</param>
/// <param name="Constant">The value of a constant.</param>
/// <param name="Condition">The path and the value of a choice without which the parameter does not exist.</param>
internal sealed record SearchParameter(string Path, ParamDomain? Domain, object? Constant, (string Path, object Value)? Condition)
{
    public bool IsActive(IReadOnlyDictionary<string, object> values) => Condition is not { } condition || (values.TryGetValue(condition.Path, out var value) && Equals(value, condition.Value));
}

/// <summary>Validated parameters of a space in their order.</summary>
internal sealed record SearchSpace(IReadOnlyList<SearchParameter> Parameters)
{
    /// <summary>Validates a space.</summary>
    /// <exception cref="ArgumentException">Parameters are invalid; the message lists all of them with their paths.</exception>
    public static SearchSpace Create(ParamSpace space)
    {
        ArgumentNullException.ThrowIfNull(space);
        List<SearchParameter> parameters = [];
        List<string> problems = [];
        Add("", space);
        return problems.Count == 0 ? new(parameters) : throw new ArgumentException($"Search space is invalid: {string.Join("; ", problems)}.", nameof(space));

        void Add(string prefix, ParamSpace level)
        {
            foreach (var (name, value) in level)
            {
                var path = prefix + name;
                switch (value)
                {
                    case ParamSpace nested:
                        Add(path + "/", nested);
                        break;
                    case ParamDomain domain when domain.Problem is { } problem:
                        problems.Add($"{path}: {problem}");
                        break;
                    case ConditionalDomain conditional:
                        if (parameters.Find(parameter => parameter.Path == prefix + conditional.Parameter) is not { Domain: ChoiceDomain or GridDomain } choice)
                            problems.Add($"{path}: '{conditional.Parameter}' must be a Choice or GridSearch that precedes the parameter on the same level");
                        else if (!(choice.Domain is ChoiceDomain values ? values.Values : ((GridDomain)choice.Domain).Values).Contains(conditional.Value))
                            problems.Add($"{path}: {conditional.Value} must be a value of '{conditional.Parameter}'");
                        else
                            parameters.Add(new(path, conditional.Inner, null, (choice.Path, conditional.Value)));
                        break;
                    case ParamDomain domain:
                        parameters.Add(new(path, domain, null, null));
                        break;
                    default:
                        parameters.Add(new(path, null, value, null));
                        break;
                }
            }
        }
    }

    /// <summary>Creates a point; <paramref name="choose"/> returns the values of active parameters with a distribution of scalars or choices.</summary>
    public ParamValues Fill(Func<SearchParameter, object> choose)
    {
        var values = new Dictionary<string, object>();
        foreach (var parameter in Parameters)
        {
            if (!parameter.IsActive(values))
                continue;
            values[parameter.Path] = parameter.Domain switch
            {
                null => parameter.Constant!,
                FunctionDomain function => function.Function(new ParamValues(values)),
                _ => choose(parameter),
            };
        }

        return new ParamValues(values);
    }

    public static object Sample(ParamDomain domain, Random random) => domain switch
    {
        NormalDomain normal => SampleNormal(normal, random),
        ScalarDomain scalar => scalar.FromUnit(random.NextDouble()),
        ChoiceDomain choice => choice.Values[random.Next(choice.Values.Count)],
        _ => throw new ArgumentException($"Distribution {domain.GetType().Name} cannot be sampled.", nameof(domain)),
    };

    private static double SampleNormal(NormalDomain domain, Random random)
    {
        var value = domain.Mean + (domain.StandardDeviation * NormalDistribution.Next(random));
        return domain.Quantum is { } q ? Math.Round(value / q) * q : value;
    }
}
